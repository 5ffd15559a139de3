// The page of logs: lines of many sources, merged by the server, kept and shown up to a bound.
import { LogView } from "./logview.js";

const PING = 9000; // ms without a word: the socket is lost (the server pings every 2 s)
const LONGEST_WAIT = 15000;
const FINAL = [4400, 4403, 4404, 4429];
const SHOWN = ["times", "wrap", "find", "regex", "only"]; // how lines are shown; all else chooses them
const USUAL = { times: true, wrap: true };

const texts = document.getElementById("log-texts").dataset;
const bar = document.getElementById("log-bar");
const summary = document.getElementById("log-summary");
const list = document.querySelector("#log-sources ul");
const troubles = document.getElementById("log-troubles");
const pauseButton = document.getElementById("log-pause");
const held = document.getElementById("log-held");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_whole, name) => values[name]);
const number = (n) => new Intl.NumberFormat(document.documentElement.lang).format(n);

const view = new LogView(document.getElementById("log-lines"), texts);
const sources = new Map(); // by their name over all sockets
let numbers = new Map(); // of this socket -> source
let socket = null;
let heard = 0;
let attempt = 0;
let retry = 0;
let over = false; // nothing more will come
let said = ""; // why
let queue = []; // messages with lines that are not taken in
let paused = false;
let counts = { leftOut: 0, withheld: 0 };
let colours = -1;
let known = false; // which sources there are

// ---- the address ----
const field = (name) => bar.elements[name];
const isOn = (name) => field(name).checked;

function parameters(names) {
  const found = new URLSearchParams(bar.dataset.chosen);
  for (const name of names) {
    const element = field(name);
    if (element.type === "checkbox") {
      if (element.checked !== Boolean(USUAL[name])) found.set(name, element.checked ? "1" : "0");
    } else if (element.value) found.set(name, element.value);
  }
  return found;
}

const ASKED = ["container", "since", "previous"];
function address() {
  const found = parameters([...ASKED, ...SHOWN]);
  const tail = new URLSearchParams(location.search).get("tail");
  if (tail) found.set("tail", tail);
  return found;
}

function keepAddress() {
  history.replaceState(history.state, "", `${location.pathname}?${address()}`);
  const file = parameters(ASKED);
  document.getElementById("log-save-all").search = String(file);
}

function readAddress() {
  const given = new URLSearchParams(location.search);
  for (const name of ["times", "wrap", "regex", "only"]) {
    if (given.has(name)) field(name).checked = given.get(name) === "1";
  }
  field("find").value = given.get("find") ?? "";
}

// ---- the socket ----
function connect() {
  clearTimeout(retry);
  const asked = parameters(ASKED);
  const tail = new URLSearchParams(location.search).get("tail");
  if (tail) asked.set("tail", tail);
  if (view.last) asked.set("after", before(view.last));
  asked.set("language", document.documentElement.lang);
  const url = new URL(`${bar.dataset.socket}?${asked}`, location.href.replace(/^http/, "ws"));
  const mine = (socket = new WebSocket(url));
  heard = Date.now();
  numbers = new Map();
  queue = [];
  mine.addEventListener("message", ({ data }) => { if (mine === socket) receive(JSON.parse(data)); });
  mine.addEventListener("close", ({ code }) => { if (mine === socket) lost(code); });
}

/** A little earlier than a moment: lines of other sources may have been on their way. */
const before = (at) => new Date(Date.parse(`${at.slice(0, 23)}Z`) - 3000).toISOString();

const handlers = {
  ping() {},
  sources: takeSources,
  lines(message) { queue.push(message); pump(); },
  end() { over = true; said = texts.over; },
  refused({ code, text }) { said = code === "many" ? texts.many : text; },
};

function receive(message) {
  heard = Date.now();
  attempt = 0;
  handlers[message.type]?.(message);
  show();
}

function lost(code) {
  socket = null;
  if (code === 4401) return location.reload();
  if (over || FINAL.includes(code)) over = true;
  else {
    attempt += 1;
    retry = setTimeout(connect, Math.random() * Math.min(LONGEST_WAIT, 500 * 2 ** attempt) + 200);
  }
  show();
}

function again() {
  const old = socket;
  socket = null;
  old?.close();
  clearTimeout(retry);
  Object.assign(counts, { leftOut: 0, withheld: 0 });
  sources.clear();
  view.clear();
  [over, said, attempt, known] = [false, "", 0, false];
  keepAddress();
  connect();
  showSources();
  show();
}

// ---- lines ----
let pumping = 0;
function pump() {
  pumping ||= setTimeout(() => {
    pumping = 0;
    while (queue.length && !paused && view.hasRoom(queue[0].lines.length)) take(queue.shift());
    show();
  }, 16);
}

function take(message) {
  const lines = [];
  for (const [n, at, text, note] of message.lines) {
    const source = numbers.get(n);
    if (source && isNew(source, at, note)) lines.push({ source, at, text, note });
  }
  view.add(lines);
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ taken: message.number }));
}

/** A socket that came again tells the last moments once more. */
function isNew(source, at, note) {
  if (note || !at) return true;
  if (source.resumed) {
    if (at < source.resumed) return false;
    if (at === source.resumed && source.skip > 0) { source.skip -= 1; return false; }
    if (at > source.resumed) source.resumed = "";
  }
  source.same = at === source.last ? source.same + 1 : 1;
  source.last = at;
  return true;
}

function takeSources(message) {
  known = true;
  counts = message;
  for (const told of message.sources) {
    const name = [told.cluster, told.namespace, told.pod, told.container].join("/");
    if (!told.container && told.state === "left") { sources.delete(name); continue; }
    const bare = [told.cluster, told.namespace, told.pod, ""].join("/");
    const stood = told.container ? sources.get(bare) : null; // for the pod, until its containers were known
    if (stood) sources.delete(bare);
    let source = sources.get(name);
    if (!source) sources.set(name, source = stood ?? { name, hidden: false, last: "", same: 0, skip: 0, resumed: "", colour: (colours += 1) % 10 });
    else if (numbers.get(told.number) !== source) Object.assign(source, { skip: source.same, resumed: source.last });
    Object.assign(source, told, { name });
    numbers.set(told.number, source);
  }
  const gone = [...sources.values()].filter((source) => source.state === "left");
  for (const source of gone.slice(0, -20)) sources.delete(source.name); // of pods that came and went
  view.name([...sources.values()]);
  chooseContainers(message.containers);
  showSources();
}

function chooseContainers(containers) {
  const select = field("container");
  for (const [name, role] of containers) {
    if ([...select.options].some((option) => option.value === name)) continue;
    select.append(new Option(role === "init" ? `${name} (${texts.init})` : name, name));
  }
}

// ---- what stands around the lines ----
const words = { opening: texts.opening, open: texts.open, waiting: texts.stateWaiting, ended: texts.stateEnded, failed: texts.stateFailed, left: texts.stateLeft };
const has = (state) => [...sources.values()].filter((source) => source.state === state);

function summarise() {
  if (said) return said;
  if (!socket || (socket.readyState !== WebSocket.OPEN && attempt)) return texts.lost;
  if (!known) return texts.connecting;
  const n = sources.size - has("left").length;
  const parts = [n ? fill(texts.logs, { n: number(n) }) : texts.none];
  for (const [state, text] of [["waiting", texts.waiting], ["failed", texts.failed], ["ended", texts.ended]]) {
    if (has(state).length) parts.push(fill(text, { n: number(has(state).length) }));
  }
  if (counts.leftOut) parts.push(fill(texts.leftOut, { n: number(counts.leftOut) }));
  if (counts.withheld) parts.push(fill(texts.withheld, { n: number(counts.withheld) }));
  if (paused) parts.push(texts.paused);
  return parts.join(" · ");
}

function show() {
  setText(summary, summarise());
  pauseButton.setAttribute("aria-pressed", String(paused));
  const waiting = queue.reduce((sum, message) => sum + message.lines.length, 0);
  setText(held, paused && waiting ? `+${number(waiting)}` : "");
  view.show();
}

function showSources() {
  list.replaceChildren(...[...sources.values()].map(chip));
  const bad = [...has("failed"), ...has("waiting")].filter((source) => source.why);
  troubles.hidden = bad.length === 0;
  const told = bad.slice(0, 5).map((source) => item(`${source.name}: `, source.why));
  if (bad.length > 5) told.push(item("", fill(texts.more, { n: number(bad.length - 5) })));
  troubles.replaceChildren(...told);
}

const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function item(name, text) {
  const made = document.createElement("li");
  made.append(Object.assign(document.createElement("b"), { textContent: name }), text);
  return made;
}

function chip(source) {
  const made = document.createElement("li");
  const button = Object.assign(document.createElement("button"), { type: "button", className: "chip", title: source.why });
  button.dataset.source = source.name;
  button.setAttribute("aria-pressed", String(!source.hidden));
  const dot = Object.assign(document.createElement("span"), { className: `log-dot src-${source.colour}` });
  button.append(dot, source.name, " ", Object.assign(document.createElement("span"), { className: "muted", textContent: words[source.state] ?? "" }));
  made.append(button);
  return made;
}

list.addEventListener("click", ({ target }) => {
  const source = sources.get(target.closest("[data-source]")?.dataset.source);
  if (!source) return;
  source.hidden = !source.hidden;
  view.hide(source);
  showSources();
  list.querySelector(`[data-source="${CSS.escape(source.name)}"]`)?.focus();
});

// ---- the bar and the keyboard ----
function pause(on) {
  paused = on;
  if (!on) { view.follow(); pump(); }
  show();
}

let found = "";
function find() {
  const asked = JSON.stringify([field("find").value, isOn("regex"), isOn("only")]);
  if (found === (found = asked)) return; // who leaves the field has not changed it
  view.find(field("find").value, isOn("regex"), isOn("only"));
  keepAddress();
}

let typing = 0;
bar.addEventListener("submit", (event) => event.preventDefault());
bar.addEventListener("input", ({ target }) => {
  if (target.name !== "find") return;
  clearTimeout(typing);
  typing = setTimeout(find, 150);
});
bar.addEventListener("change", ({ target }) => {
  if (ASKED.includes(target.name)) return again();
  if (target.name === "times" || target.name === "wrap") { view.look(isOn("times"), isOn("wrap")); keepAddress(); }
  if (["find", "regex", "only"].includes(target.name)) find();
});
pauseButton.addEventListener("click", () => pause(!paused));
document.getElementById("log-next").addEventListener("click", () => view.go(1));
document.getElementById("log-prev").addEventListener("click", () => view.go(-1));
document.getElementById("log-save-shown").addEventListener("click", () => {
  const link = Object.assign(document.createElement("a"), { download: "logs.log", href: URL.createObjectURL(new Blob([view.text()], { type: "text/plain" })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
document.addEventListener("logs:room", pump);

// Before the keys of all pages: here / and space mean the lines.
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog:modal")) return;
  if (event.target === field("find")) {
    if (event.key === "Escape") { document.getElementById("log-lines").focus(); event.preventDefault(); event.stopPropagation(); } // keeps what was typed
    if (event.key === "Enter") { clearTimeout(typing); find(); view.go(event.shiftKey ? -1 : 1); event.preventDefault(); }
    return;
  }
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], .drawer")) return;
  const acts = {
    "/": () => { field("find").focus(); field("find").select(); },
    N: () => view.go(-1),
    " ": event.target.closest?.("button, a, summary, input") ? null : () => pause(!paused),
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  acts[event.key]();
}, true);

// ---- start ----
readAddress();
view.look(isOn("times"), isOn("wrap"));
view.find(field("find").value, isOn("regex"), isOn("only"));
keepAddress();
connect();
setInterval(() => {
  if (socket && Date.now() - heard >= PING) {
    const silent = socket;
    socket = null;
    silent.close();
    lost(0);
  }
}, 1000);
addEventListener("online", () => { if (!socket && !over) connect(); });
