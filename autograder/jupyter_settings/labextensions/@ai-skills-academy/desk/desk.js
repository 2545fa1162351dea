// "Grade my work" in labs, and the way back to the welcome page. Written by hand as the module-federation container that
// JupyterLab loads its prebuilt extensions from, so that the kit needs no build step.

(() => {
  const NAME = "@ai-skills-academy/desk";
  const POLL = 500; // milliseconds
  let scope;

  /** A module that JupyterLab shares with its extensions. */
  async function shared(name) {
    const [version] = Object.values(scope[name]);
    return (await version.get())();
  }

  function element(tag, { text, ...attributes } = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      made.setAttribute(name, value);
    }
    made.append(...(text === undefined ? [] : [text]), ...children);
    return made;
  }

  function spoken(id) {
    const [question, part] = id.split("-check");
    return part ? `${question}: ${part.slice(1).replaceAll("-", " ")}` : question;
  }

  const UNANSWERED = "Not answered yet.";
  const WORDS = {
    waits: "waits for your instructor",
    right: "right",
    partly: "right in part",
    wrong: "not right yet",
    unanswered: "not answered yet",
  };

  function kindOf({ score, max_score: most, needs_manual_grade: waits, message }) {
    if (waits || score === most) {
      return waits ? "waits" : "right";
    }
    return message === UNANSWERED ? "unanswered" : score > 0 ? "partly" : "wrong";
  }

  /** The server's side of the button. */
  class Desk {
    constructor({ ServerConnection }) {
      this.settings = ServerConnection.makeSettings();
      this.request = (path, init) =>
        ServerConnection.makeRequest(`${this.settings.baseUrl}academy/${path}`, init, this.settings);
    }

    get address() {
      return `${this.settings.baseUrl}academy`;
    }

    /** Grade a notebook and return the result; throws with one line where that is not possible. */
    async graded(path) {
      const asked = await this.request("api/grades", { method: "POST", body: JSON.stringify({ path }) });
      if (!asked.ok) {
        const body = await asked.json().catch(() => ({}));
        throw new Error(body.reason || body.message || `the server answered ${asked.status}`);
      }
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, POLL));
        const { state, result, error } = await (await this.request("api/grades", {})).json();
        if (state === "failed") {
          throw new Error(error);
        }
        if (state === "done") {
          return result;
        }
      }
    }
  }

  /** Results in one notebook: a summary above it, a note below each question. */
  class Results {
    constructor(panel, Widget, open) {
      Object.assign(this, { panel, Widget, open, notes: [] });
      this.summary = new Widget({ node: element("section", { class: "academy-summary", "aria-label": "Grade my work" }) });
      this.status = element("div", { role: "status" });
      this.list = element("ul");
      const close = element("button", { type: "button", class: "academy-close", text: "Hide" });
      close.addEventListener("click", () => this.clear());
      this.summary.node.append(close, this.status, this.list);
      this.summary.hide();
      panel.contentHeader.addWidget(this.summary);
    }

    clear() {
      this.notes.splice(0).forEach((note) => note.dispose());
      this.list.replaceChildren();
      this.summary.hide();
    }

    say(text) {
      this.clear();
      this.status.textContent = text;
      this.summary.show();
      this.fit();
    }

    /** Give the summary the height of its content; a layout of Lumino gives what the style asks for. */
    fit() {
      const { style } = this.summary.node;
      const content = this.status.offsetHeight + this.list.offsetHeight + 24;
      style.minHeight = `${Math.min(content, window.innerHeight * 0.3)}px`;
      this.panel.contentHeader.fit();
    }

    show({ score, max_score: most, visible_tests_only: visibleOnly, questions }) {
      const sorted = Object.fromEntries(Object.keys(WORDS).map((kind) => [kind, questions.filter((q) => kindOf(q) === kind)]));
      const { waits, right, partly, wrong, unanswered } = sorted;
      const counts = [
        `${right.length} of ${questions.length} parts are right`,
        ...(wrong.length + partly.length ? [`${wrong.length + partly.length} not yet`] : []),
        ...(unanswered.length ? [`${unanswered.length} not answered`] : []),
        ...(waits.length ? [`${waits.reduce((sum, q) => sum + q.max_score, 0)} more points wait for your instructor`] : []),
      ];
      const hidden = visibleOnly ? " These are the tests that you can see; your instructor's grading has more." : "";
      this.say(`${score} of ${most} points: ${counts.join(", ")}.${hidden}`);
      const cells = new Map(this.panel.content.widgets.map((cell) => [cell.model.getMetadata("nbgrader")?.grade_id, cell]));
      for (const question of questions) {
        const cell = cells.get(question.id);
        if (cell) {
          this.note(cell, question);
        }
        if (wrong.includes(question) || partly.includes(question)) {
          const link = element("button", { type: "button", text: `Go to ${spoken(question.id)}` });
          link.addEventListener("click", () => this.goTo(cell));
          this.list.append(element("li", {}, link));
        }
      }
      this.fit();
    }

    /** Show a cell with its note, and leave the keyboard there. */
    goTo(cell) {
      if (cell) {
        this.panel.content.activeCellIndex = this.panel.content.widgets.indexOf(cell);
        this.panel.content.activate();
        cell.node.querySelector(".academy-note")?.scrollIntoView({ block: "center" });
      }
    }

    note(cell, question) {
      const kind = kindOf(question);
      const points = `${kind === "waits" ? "?" : question.score} of ${question.max_score} points`;
      const node = element(
        "div",
        { class: `academy-note academy-${kind}`, role: "note", "aria-label": `Result of ${spoken(question.id)}` },
        element("strong", { text: `${points}, ${WORDS[kind]}` }),
      );
      if (question.message && kind !== "unanswered") {
        node.append(element("p", { text: question.message }));
      }
      for (const hint of question.hints) {
        const line = element("p", { class: "academy-hint", text: `${hint.text} ` });
        if (hint.lesson) {
          const link = element("a", { href: "#", text: `${hint.lesson.split("/").pop().replace(".ipynb", "")}, “${hint.section}”` });
          link.addEventListener("click", (event) => {
            event.preventDefault();
            this.open(hint.lesson);
          });
          line.append(link);
        }
        node.append(line);
      }
      const note = new this.Widget({ node });
      cell.layout?.addWidget(note);
      this.notes.push(note);
    }
  }

  const STYLE = `
    .academy-summary { background: var(--jp-layout-color2); border-bottom: 1px solid var(--jp-border-color1);
      color: var(--jp-ui-font-color0); font-size: var(--jp-ui-font-size2); overflow: auto; padding: 8px 12px; }
    .academy-summary ul { display: flex; flex-wrap: wrap; gap: 6px; list-style: none; margin: 6px 0 0; padding: 0; }
    .academy-summary button { background: var(--jp-layout-color1); border: 1px solid var(--jp-border-color0);
      border-radius: 3px; color: var(--jp-ui-font-color0); cursor: pointer; padding: 3px 8px; }
    .academy-summary .academy-close { float: right; }
    .academy-note { border-left: 5px solid; background: var(--jp-layout-color2); color: var(--jp-content-font-color0);
      font-family: var(--jp-content-font-family); font-size: var(--jp-content-font-size1); margin: 4px 0 8px 64px;
      padding: 6px 12px; overflow-wrap: anywhere; user-select: text; }
    .academy-note p { margin: 4px 0 0; white-space: pre-wrap; }
    .academy-note a { color: var(--jp-content-link-color); text-decoration: underline; }
    .academy-right { border-color: #2e7d32; } .academy-partly { border-color: #b26a00; }
    .academy-unanswered { border-color: #757575; } .academy-wrong { border-color: #c62828; } .academy-waits { border-color: #1565c0; }
    .academy-home { align-self: center; color: var(--jp-ui-font-color1); font-size: var(--jp-ui-font-size1);
      padding: 0 12px; white-space: nowrap; }
    .academy-home a { color: inherit; }`;

  async function made() {
    const [{ INotebookTracker }, { ToolbarButton }, { Widget }, services, { PageConfig }] = await Promise.all(
      ["@jupyterlab/notebook", "@jupyterlab/apputils", "@lumino/widgets", "@jupyterlab/services", "@jupyterlab/coreutils"]
        .map(shared),
    );
    const desk = new Desk(services);
    const onBinder = PageConfig.getOption("academyBinder") === "true";

    /** Keep a copy in the browser some seconds after the last save. */
    async function keepAfterSaves(panel) {
      const { keep } = await import(`${desk.settings.baseUrl}static/academy/keep.js`);
      let timer;
      panel.context.saveState.connect((_, state) => {
        if (state === "completed") {
          clearTimeout(timer);
          timer = setTimeout(() => keep(new URL(desk.address).pathname, (path) => desk.request(path, {})), 2000);
        }
      });
    }

    function addButton(panel, open) {
      const results = new Results(panel, Widget, open);
      const button = new ToolbarButton({
        label: "Grade my work",
        tooltip: "Save, grade this lab, and show the results here",
        onClick: async () => {
          button.enabled = false;
          results.say("Grading … this takes some seconds, in labs that train a model some minutes.");
          try {
            await panel.context.save();
            results.show(await desk.graded(panel.context.path));
          } catch (error) {
            results.say(`Not graded: ${error.message}`);
          } finally {
            button.enabled = true;
          }
        },
      });
      panel.toolbar.insertBefore("spacer", "academy-grade", button) || panel.toolbar.addItem("academy-grade", button);
    }

    function addWayHome(shell) {
      const node = element("div", { class: "academy-home" }, element("a", { href: desk.address, text: onBinder ? "Academy: courses, save my work" : "Academy: courses" }));
      const widget = new Widget({ node });
      widget.id = "academy-home";
      shell.add(widget, "top", { rank: 900 });
    }

    return {
      id: `${NAME}:plugin`,
      autoStart: true,
      requires: [INotebookTracker],
      activate: (app, notebooks) => {
        document.head.append(element("style", { text: STYLE }));
        addWayHome(app.shell);
        const open = (path) => app.commands.execute("docmanager:open", { path });
        notebooks.widgetAdded.connect(async (_, panel) => {
          await panel.context.ready;
          if (panel.content.model.getMetadata("ai_skills_academy")?.lab) {
            addButton(panel, open);
          }
          if (onBinder) {
            await keepAfterSaves(panel);
          }
        });
      },
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init(shareScope) {
      scope = shareScope;
    },
    async get() {
      const plugin = await made();
      return () => plugin;
    },
  };
})();
