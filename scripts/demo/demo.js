// The page of the pretend product: three steps, each with a connection that Keyfob's picker chooses. This is all that a page has
// to do; what its server does is in server.mjs.
const steps = document.getElementById("steps");
const status = document.getElementById("status");

const { keyfob, workflow, steps: first } = await get("/workflow");
const { Keyfob } = await import(`${keyfob}/keyfob.js`);
draw(first);

// The product's server knows who is signed in, and has the API key. Keyfob calls this again when a session is over.
async function session() {
  const as = document.querySelector("[name=as]:checked").value;
  return (await send("POST", "/session", { as })).token;
}

async function choose(step) {
  status.textContent = "";
  try {
    const id = await Keyfob.pick({
      session,
      provider: step.provider,
      selected: step.connection?.id,
      workflow,
      step: step.id,
      theme: theme(),
    });
    if (id === null) return;
    draw((await send("PUT", "/step", { step: step.id, connection: id })).steps);
    status.textContent = `The step “${step.title}” has its connection.`;
  } catch (error) {
    status.textContent = `${error.code ?? error.name}: ${error.message}`;
  }
}

// The picker in the colours of this page.
function theme() {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  return isDark
    ? { accent: "#5fd3b6", "on-accent": "#06231c", radius: "0.5rem", font: "Georgia, serif" }
    : { accent: "#0a6b57", "on-accent": "#ffffff", radius: "0.5rem", font: "Georgia, serif" };
}

function draw(all) {
  steps.replaceChildren(...all.map((step) => card(step)));
}

function card(step) {
  const item = document.createElement("li");
  const text = document.createElement("div");
  const title = document.createElement("strong");
  const used = document.createElement("span");
  const button = document.createElement("button");
  title.textContent = step.title;
  used.textContent = step.connection ? `${step.connection.name} (${step.provider})` : `No connection (${step.provider})`;
  button.textContent = step.connection ? "Change connection" : "Choose connection";
  button.setAttribute("aria-label", `${button.textContent}: ${step.title}`);
  button.addEventListener("click", () => choose(step));
  text.append(title, used);
  item.append(text, button);
  return item;
}

async function get(path) {
  return (await fetch(path)).json();
}

async function send(method, path, body) {
  const response = await fetch(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}
