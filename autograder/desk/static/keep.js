// Copies of a learner's own work in this browser: one for each session, the five latest.

const MOST = 5;

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("ai-skills-academy", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("work", { keyPath: "session" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function inStore(mode, action) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction("work", mode);
      const request = action(transaction.objectStore("work"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** All copies, the latest first: {session, time, blob}. */
export async function copies() {
  const found = await inStore("readonly", (store) => store.getAll());
  return found.sort((one, other) => other.time - one.time);
}

/** Fetch the work of a session with `ask`, which takes a path, and keep it; where there is none yet, nothing is kept. */
export async function keep(session, ask) {
  const answer = await ask("api/work");
  if (answer.status !== 200) {
    return;
  }
  const blob = await answer.blob();
  await inStore("readwrite", (store) => store.put({ session, time: Date.now(), blob }));
  for (const old of (await copies()).slice(MOST)) {
    await inStore("readwrite", (store) => store.delete(old.session));
  }
}

export async function forget() {
  await inStore("readwrite", (store) => store.clear());
}
