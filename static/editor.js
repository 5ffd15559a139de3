// The editor of YAML: a textarea made better. What is typed stands in the textarea at every moment, so the form
// is sent as it would be without this script.
import * as cm from "./vendor/codemirror.min.js";
import { options, wrongs } from "./fields.js";

const nonce = document.querySelector("script[nonce]")?.nonce ?? "";

const look = cm.EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "6px", fontSize: "12px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", minHeight: "320px", maxHeight: "70vh" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--bg)", color: "var(--muted)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--info-bg)" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "#fff" },
  ".cm-completionInfo": { maxWidth: "320px", fontFamily: "var(--tblr-font-sans-serif)" },
  ".cm-panels input, .cm-panels button": { color: "var(--ink)", backgroundColor: "var(--surface)", backgroundImage: "none", border: "1px solid var(--line)" },
});
const colours = cm.HighlightStyle.define([
  { tag: [cm.tags.propertyName, cm.tags.definition(cm.tags.propertyName)], color: "var(--link)" },
  { tag: [cm.tags.string, cm.tags.content, cm.tags.attributeValue], color: "var(--ink)" },
  { tag: [cm.tags.number, cm.tags.bool, cm.tags.null], color: "var(--ok-ink)" },
  { tag: cm.tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [cm.tags.separator, cm.tags.punctuation], color: "var(--muted)" },
]);

for (const host of document.querySelectorAll("[data-editor]")) start(host);

function start(host) {
  const area = host.querySelector("textarea");
  const texts = host.dataset;
  const told = JSON.parse(host.querySelector("#editor-marks")?.textContent || "[]");
  const schemas = fields(host);
  let touched = false;

  const view = new cm.EditorView({
    doc: area.value,
    extensions: [
      cm.EditorView.cspNonce.of(nonce),
      cm.EditorState.phrases.of(JSON.parse(texts.phrases || "{}")),
      cm.lineNumbers(), cm.foldGutter(), cm.lintGutter(), cm.history(), cm.drawSelection(), cm.bracketMatching(), cm.highlightActiveLine(),
      cm.yaml(), cm.indentUnit.of("  "), cm.syntaxHighlighting(colours), look, cm.search({ top: true }),
      cm.autocompletion({ defaultKeymap: false, override: [(context) => complete(context, schemas)] }),
      cm.linter((shown) => check(shown, schemas, texts, touched ? [] : told), { delay: 400 }),
      cm.keymap.of([
        // Whatever else Escape closes: the Tab that follows leaves the editor.
        { key: "Escape", run: (shown) => { shown.setTabFocusMode(4000); return false; } },
        ...cm.completionKeymap, ...cm.lintKeymap, ...cm.searchKeymap, ...cm.historyKeymap, ...cm.foldKeymap,
        { key: "Tab", run: cm.indentMore, shift: cm.indentLess },
        ...cm.defaultKeymap.filter((each) => each.key !== "Escape"),
        { key: "Escape", run: () => true },
      ]),
      cm.EditorView.contentAttributes.of({ tabindex: "0", "aria-label": "YAML", "aria-describedby": area.getAttribute("aria-describedby") ?? "", spellcheck: "false", autocapitalize: "off" }),
      cm.EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        touched = true;
        area.value = update.state.doc.toString();
        draft.keep();
      }),
    ],
  });
  const draft = drafts(host, area, (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }));
  area.hidden = true;
  area.after(view.dom);
  host.querySelector("label")?.addEventListener("click", () => view.focus());
  host.querySelector("[data-editor-keys]").hidden = false;
  schemas.announce(host.querySelector("[data-editor-schema]"), view);
  document.addEventListener("click", ({ target }) => {
    const line = Number(target.closest?.("[data-editor-line]")?.dataset.editorLine);
    if (!line || line > view.state.doc.lines) return;
    const at = view.state.doc.line(line).from;
    view.dispatch({ selection: { anchor: at }, effects: cm.EditorView.scrollIntoView(at, { y: "center" }) });
    view.focus();
  });
  // A file is read into the editor, so that what is sent is what is seen.
  document.querySelector("[data-editor-file]")?.addEventListener("change", async ({ target }) => {
    const file = target.files[0];
    if (!file || file.size > 1024 * 1024) return; // the server says that it is too large
    const text = await file.text();
    const before = view.state.doc.toString().trimEnd();
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: before ? `${before}\n---\n${text}` : text } });
    target.value = "";
    view.focus();
  });
}

/** The schemas of a page: the one of its object, or one for each kind that is written. */
function fields(host) {
  const { schema: only, schemas: any } = host.dataset;
  const known = new Map();
  let line; let view;
  function of(url) {
    if (!known.has(url)) {
      known.set(url, fetch(url, { headers: { Accept: "application/json" } })
        .then((answer) => (answer.status === 200 ? answer.json() : null)).catch(() => null)
        .then((found) => { if (line) line.textContent = found ? host.dataset.knows : host.dataset.blind; if (found && view) cm.forceLinting(view); return found; }));
    }
    return known.get(url);
  }
  return {
    announce(place, shown) { line = place; view = shown; if (only) of(only); },
    async of(apiVersion, kind) {
      if (only) return of(only);
      const cluster = document.querySelector("[name=clusters]:checked, select[name=clusters] option:checked")?.value;
      if (!any || !apiVersion || !kind || !cluster) return null;
      return of(`${any}?${new URLSearchParams({ cluster, apiVersion, kind })}`);
    },
  };
}

/** The documents of the text, with what they say that they are. */
function* documents(state) {
  const top = cm.syntaxTree(state).topNode;
  for (let node = top.firstChild; node; node = node.nextSibling) {
    if (node.name !== "Document") continue;
    const text = state.sliceDoc(node.from, node.to);
    yield { node, apiVersion: word(text, "apiVersion"), kind: word(text, "kind") };
  }
}
const word = (text, key) => new RegExp(`^${key}:\\s*["']?([\\w./-]+)`, "m").exec(text)?.[1];

async function check(view, schemas, texts, told) {
  const { state } = view;
  const found = told.filter(([line]) => line <= state.doc.lines).map(([line, message]) => {
    const { from, to, text } = state.doc.line(line);
    return { from: from + text.length - text.trimStart().length, to, severity: "error", message };
  });
  cm.syntaxTree(state).iterate({ enter: (node) => {
    if (node.type.isError && found.length < 50) found.push({ from: node.from, to: Math.max(node.to, Math.min(node.from + 1, state.doc.length)), severity: "error", message: texts.invalid });
  } });
  for (const { node, apiVersion, kind } of documents(state)) {
    const schema = await schemas.of(apiVersion, kind);
    if (view.state !== state) return [];
    if (schema) for (const { from, to, word: name, about } of wrongs(state, node, schema)) found.push({ from, to, severity: "warning", message: texts[name].replace("%s", about) });
  }
  return found;
}

async function complete(context, schemas) {
  if (!context.explicit && !context.matchBefore(/[\w-]+/)) return null;
  const { state, pos } = context;
  for (const { node, apiVersion, kind } of documents(state)) {
    if (pos < node.from || pos > node.to + 200) continue;
    const schema = await schemas.of(apiVersion, kind);
    const found = schema && options(schema, state.doc, pos);
    if (found?.options.length) return { ...found, validFor: /^[\w-]*$/ };
  }
  return null;
}

/** What was typed outlives a page that is left by mistake, in this tab; not of Secrets. */
function drafts(host, area, take) {
  const key = `mcm-draft:${location.pathname}`;
  const secret = "secret" in host.dataset;
  let waiting;
  const store = (value) => { try { if (value) sessionStorage.setItem(key, JSON.stringify(value)); else sessionStorage.removeItem(key); } catch { /* full, or private mode */ } };
  const keep = () => {
    if (secret) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => store(area.value === area.defaultValue ? null : { text: area.value }), 300);
  };
  let saving = false;
  area.form?.addEventListener("submit", (event) => {
    saving = true;
    clearTimeout(waiting);
    if (!secret && event.submitter?.value === "save") store({ text: area.value, saved: true });
  });
  addEventListener("beforeunload", (event) => { if (!saving && area.value !== area.defaultValue) event.preventDefault(); });
  let before = null;
  try { before = JSON.parse(sessionStorage.getItem(key)); } catch { /* nothing to take back */ }
  const back = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  if ("fresh" in host.dataset && before?.text && before.text !== area.value && (!before.saved || back)) {
    const note = Object.assign(document.createElement("p"), { className: "alert alert-info", textContent: `${host.dataset.draft} ` });
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: host.dataset.restore });
    button.addEventListener("click", () => { take(before.text); note.remove(); });
    note.append(button);
    host.prepend(note);
  }
  return { keep };
}
