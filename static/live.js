// Keeps the page live. The socket says which objects changed; the page asks for what it shows of them
// and morphs it in, never more than one question for an element at a time: for single rows over the
// socket, where all who ask alike are answered together, for all else at its ordinary address.
const SILENCE = 4700; // ms without a message (the server pings every 2 s): the socket is taken as lost, shown within 5 s
const STALE = 30000; // ms without confirmed data: no longer "reconnecting" but "stale"
const MAX_WAIT = 15000;
const POLL = 10000;
const LOOK = 5000;
const GATHER = 8; // ms in which rows that change together are heard of: one question asks for all of them
const LIST_EVERY = 1000; // ms at least between two answers about the whole list, and
const LIST_SHARE = 10; // so many times what the last one took, so that a busy server is asked less,
const LIST_LATEST = 10000; // but no later
const COUNTS_EVERY = 30000; // the order and the counts around rows that were fetched one by one
const HOVER = 3000;
const MAX_KEYS = 100;
const LONGEST = 8000; // characters of a question over the socket
const PATIENCE = 5000; // ms until it is asked at its address instead

const root = document.documentElement;
const path = document.body.dataset.live;
const indicator = document.getElementById("live");
const parts = new WeakMap(); // live element -> what is to be fetched for it
let socket = null;
let attempt = 0;
let heard = 0; // time of the last message
let confirmed = Date.now(); // time when what is shown was last known to be right
let retry = 0;
let turn = 0; // timer until this page may ask for what it missed: not all that come back ask at once
let polled = Date.now();
let watched = "";
const seen = { connected: false };
const questions = new Map(); // what was asked over the socket: number -> who takes the rows, null if there is no answer
let asked = 0;

// ---- the elements of the page ----
const liveElements = () => document.querySelectorAll("[data-live-topic]");
const topicsOf = (element) => element.dataset.liveTopic.split(/\s+/).filter(Boolean);
const rowOf = (element, key) => element.querySelector(`[data-key="${CSS.escape(key)}"]`);
const rowsOf = (element) => [...element.querySelectorAll("[data-key]")];

function partOf(element) {
  if (!parts.has(element)) parts.set(element, { all: false, keys: new Set(), others: new Set(), busy: false, next: 0, aged: 0, waited: 0, soon: 0, timer: 0, failures: 0, off: false });
  return parts.get(element);
}

function watch() {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const topics = [...new Set([...liveElements()].flatMap(topicsOf))].sort();
  const message = JSON.stringify({ watch: { topics } });
  if (message !== watched) socket.send(watched = message);
}

const failing = () => [...liveElements()].some((element) => partOf(element).failures > 0);

// ---- what changed ----
function changed({ topic, keys, cluster }) {
  for (const element of liveElements()) {
    if (!topicsOf(element).includes(topic)) continue;
    const { liveCluster: only, liveKey: key, liveRowsUrl: rows } = element.dataset;
    if (topic === "clusters" && rows) { mark(element); continue; } // how fresh all rows are, and which clusters are searched
    const elsewhere = only && cluster && !only.split(" ").includes(cluster);
    const another = key && topic !== "clusters" && keys?.length && !keys.includes(key);
    if (!elsewhere && !another) mark(element, keys);
  }
}

function mark(element, keys) {
  const part = partOf(element);
  if (!keys?.length || !element.dataset.liveRowsUrl) part.all = true;
  else for (const key of keys) (rowOf(element, key) ? part.keys : part.others).add(key);
  // A list that goes on below may count them, or move by them; a whole one only if they match now.
  if (part.others.size > MAX_KEYS || (part.others.size && element.querySelector("#more"))) part.all = true;
  part.soon ||= setTimeout(() => { part.soon = 0; pump(element); }, GATHER);
}

const refreshAll = () => liveElements().forEach((element) => mark(element));

// ---- fetching ----
function pump(element) {
  const part = partOf(element);
  if (turn || part.busy || part.off || document.hidden || !element.isConnected) return;
  const wait = part.all ? listWait(element, part) : part.next - Date.now();
  const due = part.all || part.others.size > 0;
  if (due && wait <= 0) run(element, part, part.all ? fetchList : askOthers);
  else if (part.keys.size) run(element, part, fetchRows);
  if (due && !part.busy && !part.timer) {
    part.timer = setTimeout(() => { part.timer = 0; pump(element); }, Math.max(wait, 50));
  }
}

/** How long the list must wait: for its turn, and not while it would move rows under the pointer. */
function listWait(element, part) {
  const now = Date.now();
  const early = part.next - now;
  const hovered = matchMedia("(hover: hover)").matches && element.querySelector("[data-key]") && element.matches(":hover");
  if (!hovered) return early;
  part.waited ||= now;
  return Math.max(early, part.waited + HOVER > now ? 200 : 0);
}

/** The next turn of the list after an answer to a question that was asked at `began`. */
function nextTurn(began) {
  const pause = Math.min(Math.max((Date.now() - began) * LIST_SHARE, LIST_EVERY), LIST_LATEST);
  return Date.now() + pause * (0.75 + Math.random() / 2); // pages that heard of one change come apart
}

async function run(element, part, work) {
  part.busy = true;
  let delay = 0;
  try {
    await work(element, part);
    part.failures = 0;
    confirmed = Date.now();
  } catch (error) {
    part.failures += 1;
    part.all = true;
    delay = jitter(part.failures);
    console.warn("live:", element.id, error.message);
  } finally {
    part.busy = false;
    show();
    setTimeout(() => pump(element), delay);
  }
}

async function get(element, url, shown = 0) {
  const reply = await fetch(url, {
    headers: { "HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": `${element.localName}#${element.id}`, "HX-Current-URL": location.href, "X-MCM-Shown": String(shown), Accept: "text/html" },
    credentials: "same-origin", mode: "same-origin", cache: "no-store", signal: AbortSignal.timeout(15000),
  });
  const login = document.body.dataset.loginUrl;
  if (reply.status === 401 || (reply.redirected && login && new URL(reply.url).pathname === login)) location.reload();
  if (reply.status === 403 || reply.status === 404) return gone(element);
  if (!reply.ok) throw new Error(`${reply.status} for ${url}`);
  return reply.text();
}

/** No longer there or no longer allowed: say so once, keep the rest of the page alive. */
function gone(element) {
  const part = partOf(element);
  Object.assign(part, { off: true, all: false });
  part.keys.clear();
  part.others.clear();
  element.setAttribute("data-ui-gone", "");
  const text = document.getElementById("texts")?.dataset.s404;
  document.dispatchEvent(new CustomEvent("mcm:toast", { detail: { level: "warning", text } }));
  return null;
}

function withParam(url, name, value) {
  const full = new URL(url, location.href);
  full.searchParams.set(name, value);
  return full.pathname + full.search;
}

async function fetchList(element, part) {
  const began = Date.now();
  Object.assign(part, { all: false, waited: 0, aged: 0 });
  part.keys.clear();
  part.others.clear();
  const before = new Map(rowsOf(element).map((row) => [row.dataset.key, signature(row)]));
  const url = element.dataset.liveUrl;
  const html = await get(element, url, before.size);
  part.next = nextTurn(began);
  if (html === null || !element.isConnected) return;
  // Filtered, sorted or loaded more meanwhile: this answer is of the list before.
  if (url !== element.dataset.liveUrl || rowsOf(element).length > before.size) return void (part.all = true);
  const outer = parse(html).firstElementChild?.id === element.id;
  await htmx.swap({ text: html, target: element, sourceElement: element, swap: `${outer ? "outerMorph" : "innerMorph"} ignoreTitle:true` });
  if (before.size) for (const row of rowsOf(element)) if (before.get(row.dataset.key) !== signature(row)) flash(row);
  tell({ updated: element.id, rows: "all" });
}

async function fetchRows(element, part) {
  const answer = await getRows(element, part, part.keys);
  if (!answer) return;
  const fresh = keysOf(answer.html);
  const before = new Map();
  for (const row of answer.keys.map((key) => rowOf(element, key)).filter(Boolean)) {
    if (fresh.has(row.dataset.key)) { before.set(row, signature(row)); continue; }
    if (element.matches(":hover")) row.setAttribute("data-ui-gone", "");
    else row.remove();
    part.all = true; // another one moves up, and one less is counted
  }
  if (before.size) await htmx.swap({ text: answer.html, target: element, sourceElement: element, swap: "none ignoreTitle:true", selectOOB: "[data-key]:outerMorph" });
  for (const [row, seen] of before) if (seen !== signature(row)) flash(row);
  tell({ updated: element.id, rows: answer.keys.length });
}

/** Whether rows that are not on the page belong there now: only then is the list asked for. */
async function askOthers(element, part) {
  const began = Date.now();
  const answer = await getRows(element, part, part.others);
  if (answer && keysOf(answer.html).size) part.all = true;
  else part.next = nextTurn(began);
}

/** Takes some of the keys and asks for their rows; null where the page has become another meanwhile. */
async function getRows(element, part, waiting) {
  const keys = [...waiting].slice(0, MAX_KEYS);
  for (const key of keys) waiting.delete(key);
  const url = element.dataset.liveRowsUrl;
  const html = (await ask(url, keys)) ?? (await get(element, withParam(url, "rows", keys.join(","))));
  part.aged ||= Date.now();
  if (html !== null && url === element.dataset.liveRowsUrl) return { keys, html };
  part.all = html !== null;
  return null;
}

/** The rows as the socket answers; null where it does not. */
function ask(url, keys) {
  const number = (asked += 1);
  const question = JSON.stringify({ rows: { number, url, language: root.lang, keys } });
  if (socket?.readyState !== WebSocket.OPEN || question.length > LONGEST) return null;
  setTimeout(answered, PATIENCE, { number, html: null });
  socket.send(question);
  return new Promise((take) => questions.set(number, take));
}

function answered({ number, html }) {
  questions.get(number)?.(html);
  questions.delete(number);
}

const unanswered = () => [...questions.keys()].forEach((number) => answered({ number, html: null }));

const keysOf = (html) => new Set([...parse(html).querySelectorAll("[data-key]")].map((row) => row.dataset.key));

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** What a reader sees of a row, without its ticking ages. */
function signature(row) {
  const cells = row.cells ? [...row.cells] : [row];
  return cells.map(shown).join("\t");
}

function shown(cell) {
  if (cell.hasAttribute("data-quiet")) return ""; // what is measured anew all the time
  const fresh = cell.querySelector(".fresh"); // was seen again: that is no change
  if (fresh) return fresh.dataset.fresh;
  return cell.querySelector("time[data-age]")?.dateTime ?? cell.textContent.trim();
}

function flash(row) {
  row.classList.add("flash");
  setTimeout(() => row.classList.remove("flash"), 1700);
}

// ---- the socket ----
const jitter = (count) => Math.random() * Math.min(MAX_WAIT, 500 * 2 ** count);

function connect() {
  clearTimeout(retry);
  retry = 0;
  const url = new URL(path, location.href.replace(/^http/, "ws"));
  const mine = (socket = new WebSocket(url));
  heard = Date.now();
  watched = "";
  mine.addEventListener("open", () => {
    heard = Date.now();
    watch();
  });
  mine.addEventListener("message", ({ data }) => { if (mine === socket) receive(JSON.parse(data)); });
  mine.addEventListener("close", ({ code }) => { if (mine === socket) lost(code); });
}

const handlers = {
  hello({ after }) {
    attempt = 0;
    if (seen.connected || Date.now() - confirmed > 2000) turn = setTimeout(catchUp, after * 1000);
    seen.connected = true;
  },
  ping() {},
  changed,
  rows: answered,
  refresh: refreshAll,
  closed({ reason }) {
    if (["signed_out", "expired", "unauthenticated"].includes(reason)) location.reload();
    else socket.close(); // "rights", "shutdown", …: come again; the refetch obeys the new rights
  },
};

/** Asks for what changed while nobody listened. */
function catchUp() {
  turn = 0;
  refreshAll();
}

function receive(message) {
  heard = Date.now();
  if (!failing() && !turn) confirmed = heard;
  handlers[message.type]?.(message);
  show();
}

function lost(code) {
  socket = null;
  clearTimeout(turn);
  turn = 0;
  unanswered();
  if (!attempt) polled = Date.now();
  if (code === 4401) return location.reload();
  attempt += 1;
  retry ||= setTimeout(connect, jitter(attempt));
  show();
}

function drop() {
  const silent = socket;
  socket = null;
  silent?.close();
  lost();
}

// ---- what the top bar says ----
function state() {
  if (socket?.readyState === WebSocket.OPEN && seen.connected && !turn && !failing() && Date.now() - heard < SILENCE) return "live";
  return Date.now() - confirmed < STALE ? "reconnecting" : "stale";
}

function show() {
  const now = state();
  if (indicator) {
    indicator.dataset.state = now;
    setText(indicator.querySelector(".live-word"), indicator.dataset[`text${now[0].toUpperCase()}${now.slice(1)}`]);
    setText(indicator.querySelector(".live-age"), now === "live" ? "" : age());
  }
  if (root.dataset.live !== now) {
    root.dataset.live = now;
    tell({});
  }
}

const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function age() {
  const seconds = Math.round((Date.now() - confirmed) / 1000);
  const unit = seconds < 120 ? "second" : "minute";
  return new Intl.NumberFormat(root.lang, { style: "unit", unit, unitDisplay: "narrow" }).format(unit === "second" ? seconds : Math.floor(seconds / 60));
}

function tell(detail) {
  document.dispatchEvent(new CustomEvent("mcm:live", { detail: { state: root.dataset.live, ...detail } }));
}

// ---- start ----
if (path !== undefined) {
  connect();
  show();
  setInterval(() => {
    if (socket && Date.now() - heard >= SILENCE) drop();
    if (!socket && !document.hidden && Date.now() - polled >= POLL) {
      polled = Date.now();
      refreshAll();
    } else if (socket && Date.now() - polled >= LOOK) { // that a cluster's rows became live again is no change of a row
      polled = Date.now();
      for (const element of liveElements()) {
        const aged = partOf(element).aged && polled - partOf(element).aged >= COUNTS_EVERY;
        if (aged || element.querySelector('[data-fresh="unknown"], [data-fresh="stale"]')) mark(element);
      }
    }
    show();
  }, 250);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (!socket || Date.now() - heard >= SILENCE) { attempt = 0; drop(); connect(); }
    refreshAll();
  });
  addEventListener("online", () => { if (!socket) connect(); });
  let pending = 0; // parts of the page came or went: watch what is there now
  new MutationObserver(() => { pending ||= setTimeout(() => { pending = 0; watch(); }, 100); })
    .observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-live-topic"] });
}
