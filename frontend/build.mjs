// Rebuilds ../static/vendor/ from the packages of package-lock.json: `npm ci && node build.mjs`.
// The same lock gives the same bytes; the result is committed, so nothing here runs in production.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";
import postcss from "postcss";
import { keep } from "./tabler-keep.mjs";

const here = import.meta.dirname;
const modules = join(here, "node_modules");
const out = join(here, "..", "static", "vendor");
const built = []; // rows of the manifest

function emit(file, text, pkg) {
  writeFileSync(join(out, file), text);
  const { version, license } = JSON.parse(readFileSync(join(modules, pkg, "package.json")));
  const sha256 = createHash("sha256").update(text).digest("hex");
  built.push({ file, package: pkg, version, license, licence_text: licence(pkg), sha256 });
}

function licence(pkg) {
  const target = `licences/${pkg.replace("@", "").replace("/", "-")}.txt`;
  const name = readdirSync(join(modules, pkg)).find((entry) => /^licen[cs]e/i.test(entry));
  // @tabler/core ships its licence only as the banner of its files.
  const source = name ? join(modules, pkg, name) : join(here, "licences", target.split("/")[1]);
  copyFileSync(source, join(out, target));
  return target;
}

/** Tabler without the families of classes that no page uses (tabler-keep.mjs). */
function trimTabler() {
  const root = postcss.parse(readFileSync(join(modules, "@tabler/core/dist/css/tabler.css"), "utf8"));
  root.walkRules((rule) => {
    if (rule.parent.type === "atrule" && rule.parent.name.endsWith("keyframes")) return;
    const wanted = rule.selectors.filter(keep);
    if (wanted.length) rule.selectors = wanted;
    else rule.remove();
  });
  dropUnused(root);
  return esbuild.transformSync(root.toString(), { loader: "css", minify: true, legalComments: "inline" }).code;
}

/** Custom properties and keyframes that nothing left refers to, until nothing more falls out. */
function dropUnused(root) {
  for (let removed = 1; removed; ) {
    removed = 0;
    const text = root.toString();
    root.walkDecls(/^--/, (decl) => {
      const name = decl.prop.replace(/[^\w-]/g, "");
      if (new RegExp(`var\\(\\s*${name}\\b(?!-)`).test(text) || publicProperty(name)) return;
      decl.remove();
      removed += 1;
    });
    root.walkAtRules("keyframes", (rule) => {
      if (new RegExp(`animation[^;]*\\b${rule.params}\\b`).test(text)) return;
      rule.remove();
      removed += 1;
    });
    root.walkRules((rule) => { if (!rule.nodes.some((node) => node.type === "decl")) rule.remove(); });
    root.walkAtRules(/media|supports|layer/, (rule) => { if (rule.nodes?.length === 0) rule.remove(); });
  }
}

/** Properties that mcm.css reads or a page may set stay even when Tabler itself no longer reads them. */
function publicProperty(name) {
  return /^--tblr-(primary|danger|success|warning|body|border|link|bg|font|secondary)/.test(name) && !/-(lt|200|darken)$/.test(name);
}

function minified(file) {
  return esbuild.transformSync(readFileSync(join(modules, file), "utf8"), { loader: file.split(".").at(-1), minify: true, legalComments: "inline" }).code;
}

/** Several packages as one module; each stands in the manifest by its own version. */
function bundled(entry) {
  return esbuild.buildSync({ entryPoints: [join(here, entry)], bundle: true, write: false, format: "esm", minify: true, legalComments: "inline", target: "es2022" }).outputFiles[0].text;
}

/** A file that is minified already. */
const withoutMap = (file) => readFileSync(join(modules, file), "utf8").replace(/\n?\/\/# sourceMappingURL=.*\n?/, "\n");

/** xterm.js with the styles that a strict policy lets it have: it writes them as elements without a
 *  nonce and as attributes (xtermjs/xterm.js#4445). Nothing is built where it does so otherwise. */
function xterm() {
  let text = withoutMap("@xterm/xterm/lib/xterm.mjs");
  const replace = (pattern, by, times) => {
    if (text.match(pattern)?.length !== times) throw new Error(`xterm.js has not ${times} × ${pattern}: look at its styles again`);
    text = text.replace(pattern, by);
  };
  replace(/[\w$.]+\.createElement\("style"\)/g, `Object.assign($&,{nonce:document.querySelector("[nonce]")?.nonce??""})`, 3);
  replace(/([\w$]+)\.setAttribute\("style",(`[^`]*`)\)/g, "($1.style.cssText=$2)", 1);
  if (/setAttribute\("style"/.test(text)) throw new Error("xterm.js writes another style attribute");
  return text;
}

function sprite() {
  const names = readFileSync(join(here, "icons.txt"), "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
  const symbols = names.sort().map((name) => {
    const svg = readFileSync(join(modules, "@tabler/icons/icons/outline", `${name}.svg`), "utf8");
    const body = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"))
      .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none" \/>/, "")
      .replace(/\s+/g, " ").replace(/> </g, "><").replace(/ \/>/g, "/>").trim();
    return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "licences"), { recursive: true });
emit("htmx.min.js", withoutMap("htmx.org/dist/htmx.min.js"), "htmx.org");
emit("uplot.min.js", minified("uplot/dist/uPlot.esm.js"), "uplot");
emit("uplot.min.css", minified("uplot/dist/uPlot.min.css"), "uplot");
const editor = bundled("codemirror.mjs");
for (const name of ["state", "view", "commands", "language", "lang-yaml", "lint", "autocomplete", "search"]) emit("codemirror.min.js", editor, `@codemirror/${name}`);
for (const name of ["highlight", "common", "lr", "yaml"]) emit("codemirror.min.js", editor, `@lezer/${name}`);
for (const name of ["style-mod", "w3c-keyname", "crelt", "@marijn/find-cluster-break"]) emit("codemirror.min.js", editor, name);
emit("xterm.min.js", xterm(), "@xterm/xterm");
emit("xterm.min.css", minified("@xterm/xterm/css/xterm.css"), "@xterm/xterm");
emit("xterm-fit.min.js", withoutMap("@xterm/addon-fit/lib/addon-fit.mjs"), "@xterm/addon-fit");
emit("tabler.min.css", trimTabler(), "@tabler/core");
emit("icons.svg", sprite(), "@tabler/icons");
writeFileSync(join(out, "manifest.json"), `${JSON.stringify(built, null, 2)}\n`);
for (const { file, version } of built) console.log(file, version, `${readFileSync(join(out, file)).length} bytes`);
