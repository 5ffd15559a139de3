// The search of the top bar: pages and actions of this page at once, objects as the server finds
// them, the last places first. A combobox as ARIA describes it; options are links.
const WAIT = 120; // ms after the last key
const MOST_RECENT = 8;
const input = document.getElementById("search");
const box = document.getElementById("palette");
const texts = box?.dataset ?? {};
const STORE = `mcm:recent:${texts.user}`;
let timer = 0;
let asking = null; // ends the request that is on its way
let answer = { text: "", found: {} };
let chosen = -1;
let isWanted = false; // the best, as soon as the server has found it

const words = () => input.value.toLowerCase().split(/\s+/).filter(Boolean);
const options = () => [...box.querySelectorAll("[role=option]")];
const isOpen = () => !box.hidden;
const holds = (text, all) => all.every((word) => text.toLowerCase().includes(word));

// ---- what there is to offer: {title, detail, url} or {title, element} ----
function recent() {
  try { return JSON.parse(localStorage.getItem(STORE)) ?? []; } catch { return []; }
}
function remember({ title, detail, url }) {
  const kept = recent().filter((each) => each.url !== url);
  try { localStorage.setItem(STORE, JSON.stringify([{ title, detail, url }, ...kept].slice(0, MOST_RECENT))); } catch { /* a full or closed store keeps nothing */ }
}
function links(selector) {
  return [...document.querySelectorAll(selector)].map((link) => ({ title: link.textContent.trim(), detail: "", url: link.getAttribute("href") }));
}
// Buttons of the page and of what is open beside it do what they do there.
function here() {
  return [...document.querySelectorAll("#main :is(.page-actions, .object-acts) .btn, #drawer .btn")]
    .filter((element) => element.offsetParent && element.getAttribute("aria-disabled") !== "true" && !element.disabled)
    .map((element) => ({ title: element.textContent.trim(), detail: "", element }));
}
function sections() {
  const all = words();
  const pages = [...links("#nav li a"), ...links("#user-menu a")];
  const matching = (items) => items.filter(({ title, detail }) => holds(`${title} ${detail}`, all));
  if (!all.length) return [["recent", recent()], ["here", here()], ["pages", pages]];
  const { actions = [], objects = [], clusters = [], lists = [], views = [] } = answer.found;
  return [
    ["actions", actions.map(ofAction)],
    ["recent", matching(recent()).slice(0, 3)],
    ["objects", objects.map(ofObject)],
    ["clusters", clusters.map((each) => ({ title: each.name, detail: "", environment: each.environment, url: each.url }))],
    ["here", matching(here())],
    ["pages", matching(pages)],
    ["views", views.map((each) => ({ title: each.name, detail: [each.kind, each.team].filter(Boolean).join(" · "), url: each.url }))],
    ["lists", lists.map(({ title, url }) => ({ title, detail: "", url }))],
  ];
}
// An act opens the dialog that asks before it: nothing is done from here.
function ofAction({ title, object, url, dialog }) {
  return { ...ofObject(object), title, url, dialog };
}
function ofObject(found) {
  const place = [found.kind, found.namespace, found.cluster].filter(Boolean).join(" · ");
  return { title: found.name, detail: place, url: found.url, status: found.status, health: found.health, environment: found.environment };
}

// ---- showing it ----
function made(tag, className, text) {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}
function option(item) {
  const link = made("a", "", "");
  link.setAttribute("role", "option");
  link.setAttribute("aria-selected", "false");
  link.tabIndex = -1;
  if (item.url) link.href = item.url;
  link.append(made("span", item.status === undefined ? "" : "mono", item.title), made("span", "muted", item.detail));
  if (item.environment) link.append(made("span", `env ${item.environment}`, item.environment));
  if (item.status) {
    const status = made("span", `status ${item.health}`, "");
    status.append(made("span", "dot", ""), item.status);
    link.append(status);
  }
  link.item = item;
  return link;
}
function show() {
  const shown = new Set();
  const groups = sections().map(([name, items]) => [name, items.filter(({ url }) => !url || (!shown.has(url) && shown.add(url)))]);
  box.replaceChildren(...groups.filter(([, items]) => items.length).map(([name, items]) => {
    const group = made("div", "", "");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", texts[name]);
    const head = made("div", "h", texts[name]);
    head.setAttribute("aria-hidden", "true");
    group.append(head, ...items.map(option));
    return group;
  }), ...notes());
  options().forEach((element, n) => { element.id = `palette-${n}`; });
  box.hidden = false;
  input.setAttribute("aria-expanded", "true");
  choose(words().length && options().length ? 0 : -1);
}
function notes() {
  const isAnswered = answer.text === input.value.trim();
  const said = [];
  if (!words().length) said.push(texts.hint);
  else if (answer.failed && isAnswered) said.push(texts.failed);
  else if (isAnswered && answer.found.complete === false) said.push(texts.late);
  else if (isAnswered && !answer.found.objects?.length && !answer.found.actions?.length) said.push(texts.none);
  return said.map((text) => {
    const note = made("p", "palette-note", text);
    note.setAttribute("role", "status");
    return note;
  });
}
function close() {
  clearTimeout(timer);
  isWanted = false;
  asking?.abort();
  box.hidden = true;
  box.replaceChildren();
  input.setAttribute("aria-expanded", "false");
  choose(-1);
}
/** Marks an option; -1 for none. Says so to who hears the page. */
function choose(n) {
  box.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
  chosen = n;
  const element = options()[n];
  element?.setAttribute("aria-selected", "true");
  element?.scrollIntoView({ block: "nearest" });
  if (element) input.setAttribute("aria-activedescendant", element.id);
  else input.removeAttribute("aria-activedescendant");
}

// ---- asking the server ----
async function ask() {
  const text = input.value.trim();
  asking?.abort();
  if (!text || text === answer.text) return;
  asking = new AbortController();
  const url = new URL(texts.url, location.href);
  url.searchParams.set("q", text);
  let next;
  try {
    const reply = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin", signal: AbortSignal.any([asking.signal, AbortSignal.timeout(5000)]) });
    next = reply.ok ? { text, found: await reply.json() } : { text, found: {}, failed: true };
  } catch (error) {
    if (error.name === "AbortError") return;
    next = { text, found: {}, failed: true };
  }
  if (input.value.trim() !== text) return;
  answer = next;
  if (!isOpen()) return;
  show();
  if (isWanted) enter();
}

// ---- doing it ----
function take(element) {
  const { item } = element;
  close();
  input.value = "";
  input.blur();
  if (item.element) return item.element.click();
  if (item.dialog) return openDialog(item.url);
  remember(item);
  location.assign(item.url);
}
function openDialog(url) {
  const link = Object.assign(document.createElement("a"), { href: url });
  link.dataset.dialog = "";
  document.body.append(link);
  link.click();
  link.remove();
}
function enter() {
  if (words().length && answer.text !== input.value.trim()) { isWanted = true; return true; }
  isWanted = false;
  if (answer.failed && words().length) return input.form.submit();
  return chosen >= 0 && take(options()[chosen]);
}
const step = (by) => {
  if (!isOpen()) return show();
  const count = options().length;
  if (count) choose((chosen + by + count) % count);
};
const keys = {
  ArrowDown: () => step(1),
  ArrowUp: () => (chosen < 0 ? choose(options().length - 1) : step(-1)),
  Enter: () => isOpen() && enter(),
  Escape: () => isOpen() && close(),
};

if (input && box) {
  input.addEventListener("focus", () => show());
  input.addEventListener("input", () => {
    isWanted = false;
    show();
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || !keys[event.key]) return;
    if (keys[event.key]() !== false) event.preventDefault();
  });
  input.addEventListener("blur", close);
  box.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  box.addEventListener("click", (event) => {
    const element = event.target.closest("[role=option]");
    if (!element) return;
    if (element.item.url && (event.ctrlKey || event.metaKey || event.shiftKey)) return remember(element.item);
    event.preventDefault();
    take(element);
  });
  // Who signs out leaves no names behind.
  document.querySelector('#user-menu form[method="post"]')?.addEventListener("submit", () => localStorage.removeItem(STORE));
}
