// A shell in a pod (xterm.js) over a socket: bytes are what is typed and shown, texts are messages.
// Neither side sends more than the other has taken: nothing grows, and the page never freezes.
import { Terminal } from "./vendor/xterm.min.js";
import { FitAddon } from "./vendor/xterm-fit.min.js";
import { look } from "./termlook.js";
import { clipboard } from "./termpaste.js";

const SILENCE = 9000; // ms without a word: the socket is lost (the server pings every 2 s)
const TAKEN_EVERY = 128 * 1024; // bytes; the server sends no more than 512 KiB beyond
const TYPED_WINDOW = 64 * 1024; // bytes that the server has not passed on
const PIECE = 8 * 1024;
const KEYS = { Escape: "\x1b", Tab: "\t", c: "\x03", d: "\x04", Up: "A", Down: "B", Right: "C", Left: "D" };

const element = (id) => document.getElementById(id);
const texts = element("terminal-texts").dataset;
const bar = element("terminal-bar");
const place = element("terminal");
const said = element("terminal-said");
const debug = element("terminal-debug");
const limit = element("terminal-limit");
const closing = element("terminal-close");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_whole, name) => values[name]);
const encoder = new TextEncoder();

Terminal.strings.promptLabel = texts.input;
Terminal.strings.tooMuchOutput = texts.tooMuch;
const terminal = new Terminal({
  ...look(place),
  cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
  scrollback: 5000,
  minimumContrastRatio: 4.5,
  disableStdin: true,
  linkHandler: { activate: (_event, url) => { if (confirm(fill(texts.link, { url }))) open(url, "_blank", "noopener,noreferrer"); } },
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open(place);
fit.fit();

let socket = null;
let heard = 0;
let chosen = { container: "", shell: "" };
let shown = 0; // bytes that are on the screen
let told = 0; // of them, those that the server knows of
let queue = []; // typed, and not sent
let sent = 0;
let passed = 0;

// ---- the socket ----
function connect(confirmed) {
  const mine = (socket = new WebSocket(new URL(bar.dataset.socket, location.href.replace(/^http/, "ws"))));
  mine.binaryType = "arraybuffer";
  heard = Date.now();
  [shown, told, sent, passed, queue] = [0, 0, 0, 0, []];
  terminal.reset();
  mine.addEventListener("open", () => say({ open: { ...chosen, confirmed, columns: terminal.cols, rows: terminal.rows, language: document.documentElement.lang } }));
  mine.addEventListener("message", ({ data }) => { if (mine === socket) receive(data); });
  mine.addEventListener("close", () => { if (mine === socket) end("danger", texts.lost); });
  state("opening", "info", texts.opening);
}

const say = (message) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); };

function receive(data) {
  heard = Date.now();
  if (typeof data !== "string") return show(new Uint8Array(data));
  const message = JSON.parse(data);
  ({ open: opened, passed: pass, limit: warn, ended: over })[message.type]?.(message);
}

function show(bytes) {
  const mine = socket;
  terminal.write(bytes, () => {
    if (mine !== socket) return;
    shown += bytes.length;
    if (shown - told >= TAKEN_EVERY) say({ taken: (told = shown) });
  });
}

function opened({ shell }) {
  chosen.running = shell;
  terminal.options.disableStdin = false;
  state("open", "", fill(texts.open, { shell, container: chosen.container }));
  terminal.focus();
}

function warn({ why, seconds }) {
  limit.hidden = !why;
  if (!why) return;
  const time = new Date(Date.now() + seconds * 1000).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  limit.firstElementChild.textContent = fill(texts[why], { time });
  element("terminal-stay").hidden = why !== "idle";
}

function over({ why, text, code }) {
  if (why === "exited" && code !== null) return end(code ? "warning" : "info", fill(texts.exit, { code }));
  if (why !== "no_shell") return end(why === "exited" ? "warning" : "danger", text);
  end("warning", `${fill(texts.noShell, chosen)} ${text}`);
  const command = element("terminal-debug-text");
  command.textContent = `${command.dataset.command}${chosen.container} -- sh`;
  debug.hidden = false;
}

function end(level, text) {
  const old = socket;
  socket = null;
  old?.close();
  terminal.options.disableStdin = true;
  const inside = place.contains(document.activeElement);
  state("ended", level, text);
  if (inside) element("terminal-open")?.focus();
}

/** One of opening, open, ended; and what is said of it. */
function state(name, level, text) {
  const busy = name !== "ended";
  place.dataset.state = name;
  for (const field of bar.elements) if (field !== closing) field.disabled = busy;
  closing.hidden = !busy;
  limit.hidden = debug.hidden = true;
  said.hidden = false;
  said.className = level ? `alert alert-${level} term-said` : "term-said muted";
  said.textContent = text;
  fit.fit();
}

// ---- what is typed ----
function type(text) {
  typeBytes(encoder.encode(text));
}

function typeBytes(bytes) {
  if (!socket || terminal.options.disableStdin) return;
  for (let begin = 0; begin < bytes.length; begin += PIECE) queue.push(bytes.subarray(begin, begin + PIECE));
  pump();
}

function pump() {
  while (queue.length && socket?.readyState === WebSocket.OPEN && sent - passed + queue[0].length <= TYPED_WINDOW) {
    const piece = queue.shift();
    sent += piece.length;
    socket.send(piece);
  }
}

function pass({ bytes }) {
  passed = bytes;
  pump();
}

const paste = clipboard(terminal, { texts, place, isProd: "prod" in bar.dataset, type });
terminal.onData(paste.typed);
terminal.onBinary((data) => typeBytes(Uint8Array.from(data, (c) => c.charCodeAt(0))));

let sizing = 0;
terminal.onResize(({ cols, rows }) => {
  clearTimeout(sizing);
  sizing = setTimeout(() => say({ size: [cols, rows] }), 100);
});
new ResizeObserver(() => fit.fit()).observe(place);

// ---- what is asked ----
const asked = element("terminal-confirm");
bar.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (socket || !bar.elements.container) return;
  chosen = { container: bar.elements.container.value, shell: bar.elements.shell.value };
  if (!("prod" in bar.dataset)) return connect("");
  element("terminal-confirm-container").textContent = chosen.container;
  asked.returnValue = "";
  asked.showModal();
});
asked.addEventListener("close", () => {
  const { cluster, namespace, pod } = bar.dataset;
  if (asked.returnValue) connect([cluster, namespace, pod, chosen.container].join("/"));
});
/** The button waits for this script: without it the form would just be sent. */
function ready() {
  const button = element("terminal-open");
  if (!button?.disabled || socket) return;
  button.disabled = false;
  button.focus();
}
document.addEventListener("htmx:after:swap", ready);
ready();
bar.addEventListener("change", ({ target }) => {
  if (target.name === "pod") location.search = new URLSearchParams({ pod: target.value });
});
closing.addEventListener("click", () => { end("info", texts.closed); element("terminal-open")?.focus(); });
element("terminal-stay").addEventListener("click", () => { say({ stay: true }); terminal.focus(); });

// ---- the keyboard: out of the terminal, and the keys that a phone has not ----
terminal.attachCustomKeyEventHandler((event) => {
  if (event.key === "F6" && (event.ctrlKey || event.shiftKey)) {
    if (event.type === "keydown") { event.preventDefault(); (closing.hidden ? element("terminal-open") : closing)?.focus(); }
    return false;
  }
  return paste.key(event);
});
place.addEventListener("keydown", (event) => event.stopPropagation()); // no shortcut of the page
document.querySelector(".term-keys").addEventListener("click", ({ target }) => {
  const key = KEYS[target.dataset.key];
  if (!key) return;
  type(/[A-D]/.test(key) ? `\x1b${terminal.modes.applicationCursorKeysMode ? "O" : "["}${key}` : key);
  terminal.focus();
});

const reader = element("terminal-reader");
const kept = () => { try { return localStorage.getItem("mcm-terminal-reader") === "1"; } catch { return false; } };
const read = () => { terminal.options.screenReaderMode = reader.checked; };
reader.checked = kept();
read();
reader.addEventListener("change", () => {
  try { localStorage.setItem("mcm-terminal-reader", reader.checked ? "1" : "0"); } catch { /* for this page only */ }
  read();
});
new MutationObserver(() => { terminal.options.theme = look(place).theme; }).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });

// ---- a shell that is gone is gone ----
setInterval(() => { if (socket && Date.now() - heard >= SILENCE) end("danger", texts.lost); }, 1000);
addEventListener("beforeunload", (event) => { if (place.dataset.state === "open") event.preventDefault(); });
