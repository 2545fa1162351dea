// The welcome page: what is due, saving and restoring. The page is complete without it but for these.

import { copies, forget, keep } from "./keep.js";

const { desk, xsrf, binder } = document.body.dataset;
const part = (id) => document.getElementById(id);

/** Ask the server; a hub wants the token of the page also for what is only read. */
function ask(path, init = {}) {
  return fetch(`${desk}/${path}`, { ...init, headers: { "X-XSRFToken": xsrf } });
}

function say(text) {
  part("message").textContent = text;
}

async function reason(answer) {
  const body = await answer.json().catch(() => ({}));
  return body.reason || body.message || `the server answered ${answer.status}`;
}

async function restore(blob) {
  say("Restoring …");
  const answer = await ask("api/work", { method: "POST", body: blob });
  if (!answer.ok) {
    say(`Nothing was restored: ${await reason(answer)}`);
    return;
  }
  const { restored, beside } = await answer.json();
  const also = beside.length ? ` You had changed some files here, so yours stay and these lie beside: ${beside.join(", ")}.` : "";
  sessionStorage.setItem("academy-message", `Restored ${restored.length + beside.length} files.${also}`);
  location.reload();
}

async function showDue() {
  const answer = await ask("api/due");
  const { due } = answer.ok ? await answer.json() : { due: [] };
  for (const { course, lab, state } of due) {
    const line = document.createElement("li");
    line.textContent = `${lab} (course ${course}): ${state === "fetched" ? "fetched, not handed in yet" : "not fetched yet"}`;
    part("due-list").append(line);
  }
  part("due-section").hidden = due.length === 0;
}

async function showCopies() {
  const [latest] = (await copies()).filter((copy) => copy.session !== desk);
  part("kept").hidden = !latest;
  if (latest) {
    const size = Math.max(1, Math.round(latest.blob.size / 1000));
    part("kept-text").textContent = `This browser has a copy of your work of ${new Date(latest.time).toLocaleString()} (${size} kB).`;
    part("kept-restore").onclick = () => restore(latest.blob);
  }
}

part("restore").addEventListener("submit", (event) => {
  event.preventDefault();
  restore(part("file").files[0]);
});
part("download").addEventListener("click", async (event) => {
  event.preventDefault();
  const answer = await ask("api/work");
  if (answer.status === 204) {
    say("There is nothing to save yet: you have not changed anything.");
  } else if (answer.ok) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
    link.click();
    say(`Saved as ${link.download}. Keep it where you find it again.`);
  } else {
    say(`Not saved: ${await reason(answer)}`);
  }
});
part("kept-forget").addEventListener("click", async () => {
  await forget();
  await showCopies();
  say("This browser has no copies any more.");
});

say(sessionStorage.getItem("academy-message") || "");
sessionStorage.removeItem("academy-message");
showDue();
if (binder === "yes") {
  await keep(desk, ask);
  await showCopies();
}
