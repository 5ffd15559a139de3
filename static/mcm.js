// Dialog, drawer, toasts, answers of htmx that are errors. Every listener stands on the document,
// so swapped-in parts need no wiring.
const texts = document.getElementById("texts")?.dataset ?? {};
const toasts = document.getElementById("toasts");
const dialog = document.getElementById("dialog");
const drawer = document.getElementById("drawer");
const plainClick = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
let leaving = false;
addEventListener("pagehide", () => { leaving = true; });
addEventListener("pageshow", () => { leaving = false; });

// ---- what morphing must not undo: opened <details> and <dialog>, and marks of the scripts ----
window.htmx?.registerExtension("mcm", {
  htmx_before_morph_attr(element, { attrName }) {
    return !((attrName === "open" && element.matches("details, dialog"))
      || (attrName === "tabindex" && element.matches("[data-ui-overflow]")));
  },
});

// ---- toasts ----
const timers = new WeakMap();
function settle(toast) {
  if (!toast.matches(".toast-success, .toast-info, .toast-debug")) return;
  timers.set(toast, setTimeout(() => toast.remove(), 7000));
}
function showToast({ level = "info", text, action_url: url, action_label: label }) {
  if (!text || !toasts) return;
  const template = document.getElementById("toast-template").content.firstElementChild;
  const same = [...toasts.children].find((shown) => shown.querySelector(".toast-text").textContent === text);
  same?.remove();
  const toast = template.cloneNode(true);
  toast.className = `toast toast-${level}`;
  toast.setAttribute("role", level === "danger" ? "alert" : "status");
  if (url) {
    const link = Object.assign(document.createElement("a"), { href: url, textContent: label, className: "toast-action" });
    toast.querySelector(".toast-text").after(link);
  }
  toasts.append(toast);
  toast.querySelector(".toast-text").textContent = text; // after it is in the page: it is announced
  settle(toast);
  while (toasts.children.length > 4) toasts.firstElementChild.remove();
}
document.addEventListener("mcm:toast", ({ detail }) => {
  for (const toast of detail.toasts ?? [detail]) showToast(toast);
});
document.addEventListener("pointerover", ({ target }) => clearTimeout(timers.get(target.closest?.("[data-toast]"))));
for (const toast of toasts?.children ?? []) settle(toast);

// ---- answers of htmx: never silently nothing ----
function signIn() {
  const url = new URL(document.body.dataset.loginUrl || "/", location.href);
  url.searchParams.set("next", location.pathname + location.search);
  location.assign(url);
}
function isSignedOut(response) {
  return response.status === 401 || (response.redirected && document.body.dataset.loginUrl !== undefined
    && new URL(response.url).pathname === new URL(document.body.dataset.loginUrl, location.href).pathname);
}
function wordsFor(status, body, headers) {
  let said = "";
  try { said = JSON.parse(body).error ?? ""; } catch { /* a page, not JSON */ }
  const known = texts[`s${status}`] ?? texts[status === 503 || status === 504 ? "s502" : status >= 500 ? "s500" : "s400"];
  const id = headers.get("X-Request-ID");
  return [said || known, status >= 500 && id ? `${texts.requestId} ${id}` : ""].filter(Boolean).join(" · ");
}
document.addEventListener("htmx:before:response", (event) => {
  if (!isSignedOut(event.detail.ctx.response.raw)) return;
  event.preventDefault();
  signIn();
});
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const { status, headers } = ctx.response;
  if (status === 422 || headers.get("HX-Trigger")?.includes("mcm:toast")) return;
  showToast({ level: "danger", text: wordsFor(status, ctx.text, headers) });
});
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (leaving || !ctx || ctx.response?.status >= 400) return;
  showToast({ level: "danger", text: ctx.request.signal.reason === "timeout" ? texts.timeout : texts.network });
});
let running = 0; // the line on top of the page; live.js fetches without it
document.addEventListener("htmx:before:request", () => { running += 1; document.documentElement.toggleAttribute("data-busy", true); });
document.addEventListener("htmx:finally:request", () => { running = Math.max(0, running - 1); document.documentElement.toggleAttribute("data-busy", running > 0); });

// A form that came back with errors: bring the first one before the reader's eyes.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.response?.status !== 422) return;
  const host = ctx.target?.isConnected ? ctx.target : document;
  const wrong = host.querySelector("[aria-invalid=true]");
  wrong?.focus();
  (wrong?.closest(".field") ?? host.querySelector(".alert-danger"))?.scrollIntoView({ block: "center" });
});

// ---- dialog ----
let opener = null; // what gets the focus back
function openInDialog(url) {
  opener = document.activeElement;
  htmx.ajax("GET", url, { source: dialog, target: dialog, swap: "innerHTML" });
}
document.addEventListener("htmx:after:swap", () => {
  if (!dialog) return;
  const filled = dialog.childElementCount > 0;
  if (filled) name(dialog); // also when a form came back: its heading is a new one
  if (filled && !dialog.open) {
    dialog.showModal();
    dialog.querySelector("input:not([type=hidden], [disabled]), select, textarea")?.focus();
  } else if (!filled && dialog.open) dialog.close();
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.response?.status === 204 && dialog?.contains(ctx.sourceElement)) dialog.close();
});
dialog?.addEventListener("close", () => {
  dialog.replaceChildren();
  if (opener?.isConnected) opener.focus();
});
document.addEventListener("mcm:dialog-close", () => dialog?.close());

/** A dialog or drawer is called by its own heading. */
function name(host) {
  const heading = host.querySelector("h1, h2");
  if (!heading) return;
  heading.id ||= `${host.id}-title`;
  host.setAttribute("aria-labelledby", heading.id);
}

// ---- typed confirmation (the server checks it again) ----
document.addEventListener("input", ({ target }) => {
  const form = target.closest("form[data-confirm-name]");
  if (form && target.name === "confirm_name") {
    form.querySelector("button[type=submit]").disabled = target.value !== form.dataset.confirmName;
  }
});

// ---- drawer ----
let listUrl = null; // where closing leads back to
let row = null; // the row it was opened from
let fromTab = false; // the keyboard goes on from the tab that was opened
function openInDrawer(link) {
  if (!drawer.childElementCount) listUrl = location.pathname + location.search;
  const inside = drawer.contains(link);
  if (!inside) {
    row = link;
    document.querySelector("[data-ui-current]")?.removeAttribute("data-ui-current");
    link.closest("tr")?.setAttribute("data-ui-current", "");
  }
  const history = inside ? { replace: "true" } : { push: "true" }; // tabs of the drawer are not steps back
  fromTab = Boolean(inside && link.closest(".tabs"));
  htmx.ajax("GET", link.href, { source: drawer, target: drawer, swap: "innerHTML", ...history });
}
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target !== drawer || !drawer.childElementCount) return;
  name(drawer);
  drawer.scrollTop = 0;
  const tab = fromTab && drawer.querySelector(".tabs [aria-current]");
  (tab || drawer).focus({ preventScroll: true });
});
function closeDrawer() {
  if (!drawer?.childElementCount) return false;
  drawer.dispatchEvent(new CustomEvent("htmx:abort"));
  drawer.replaceChildren();
  const back = drawer.dataset.listUrl ?? listUrl;
  if (back && back !== location.pathname + location.search) history.pushState({ htmx: true }, "", back);
  if (row?.isConnected) row.focus({ preventScroll: true });
  return true;
}
document.addEventListener("htmx:before:history:restore", (event) => {
  // Back from the drawer to its list needs no new page.
  if (drawer?.childElementCount && event.detail.path === listUrl) {
    event.preventDefault();
    drawer.replaceChildren();
  }
});

// ---- clicks ----
document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at('[aria-disabled="true"]')) return event.preventDefault();
  if (at("[data-toast-close]")) return at("[data-toast]").remove();
  if (at("[data-dialog-close]")) return at("dialog")?.close();
  if (at("[data-drawer-close]")) return closeDrawer();
  const link = at("a[data-dialog], a[data-drawer]");
  if (link && plainClick(event) && (link.matches("[data-dialog]") ? dialog : drawer)) {
    event.preventDefault();
    return link.matches("[data-dialog]") ? openInDialog(link.href) : openInDrawer(link);
  }
  const menu = at(".menu[popover]");
  if (menu && at("a, button")) menu.hidePopover();
  const target = at("tr[data-row-href]");
  if (target && plainClick(event) && !at("a, button, input, label, select, summary, [popover]") && !String(getSelection())) openRow(target);
});
function openRow(target) {
  const link = target.querySelector("a[data-drawer]");
  if (link) openInDrawer(link);
  else location.assign(target.dataset.rowHref);
}
document.addEventListener("mcm:open-row", ({ target }) => openRow(target));
document.addEventListener("mcm:close-drawer", closeDrawer);
document.addEventListener("submit", ({ target }) => {
  if (target.matches("[data-next-here]")) target.elements.next.value = location.pathname + location.search;
}, true);

// ---- copying a text; where the browser does not let us, it is marked for the reader to copy ----
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  const text = button && document.getElementById(button.dataset.copy);
  if (!text) return;
  try {
    await navigator.clipboard.writeText(text.textContent);
    showToast({ level: "success", text: button.dataset.copied });
  } catch { getSelection().selectAllChildren(text); }
});

// ---- logs that follow their end ----
const atEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 24;
const toEnd = (log) => { log.scrollTop = log.scrollHeight; };
document.addEventListener("scroll", ({ target }) => {
  if (target.matches?.("[data-follow]")) target.toggleAttribute("data-ui-away", !atEnd(target));
}, true);
document.addEventListener("click", ({ target }) => {
  const id = target.closest("[data-follow-end]")?.dataset.followEnd;
  if (id) toEnd(document.getElementById(id));
});
const followAll = () => document.querySelectorAll("[data-follow]:not([data-ui-away])").forEach(toEnd);

// ---- the scope in the top bar says what the list of the page is narrowed to ----
document.addEventListener("change", ({ target }) => {
  const label = document.querySelector("[data-scope]");
  if (label && target.matches(".filters [name=cluster]")) label.textContent = target.value || label.dataset.scope;
});

// ---- tables wider than their place scroll inside it (otherwise the page scrolls and heads stick to it) ----
const widths = new ResizeObserver((entries) => new Set(entries.map(({ target }) => target.closest(".table-wrap"))).forEach(fit));
function fit(wrap) {
  const table = wrap?.querySelector(":scope > table");
  if (!table) return;
  const wide = table.offsetWidth > wrap.clientWidth + 1;
  wrap.toggleAttribute("data-ui-overflow", wide);
  if (wide) wrap.tabIndex = 0; // the keyboard can scroll it
  else wrap.removeAttribute("tabindex");
}

// Once a frame at most, however many rows were swapped: both read the layout.
let frame = 0;
let tab = ""; // the one that is open: brought into sight once, not against who scrolls
function showTab() {
  const open = document.querySelector(".tabs [aria-current]");
  if (!open || open.href === tab) return;
  tab = open.href;
  const bar = open.closest(".tabs");
  bar.scrollLeft += open.getBoundingClientRect().left - bar.getBoundingClientRect().left - (bar.clientWidth - open.clientWidth) / 2;
}
function afterSwaps() {
  frame = 0;
  showTab();
  document.querySelectorAll(".table-wrap, .table-wrap > table").forEach((element) => widths.observe(element));
  followAll();
}
document.addEventListener("htmx:after:swap", () => { frame ||= requestAnimationFrame(afterSwaps); });
afterSwaps();
