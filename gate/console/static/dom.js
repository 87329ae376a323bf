// What stands in the page is made here, as nodes: text from the database is never read
// as HTML.

// el makes an element. What is in props are properties, or attributes where a name has
// a dash; children are nodes or text.
export function el(name, props = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (key.includes("-") || key === "role" || key === "for") e.setAttribute(key, value);
    else e[key] = value;
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

export const byId = (id) => document.getElementById(id);

// show fills an element.
export function show(id, ...children) { byId(id).replaceChildren(...children.flat()); }

// grid is a table. Columns are {name, number, wide, fixed}; cells are text, nodes or null,
// which stands for NULL.
export function grid(caption, columns, rows) {
  const cell = (c, v) => v === null || v === undefined
    ? el("td", { className: "null" + (c.number ? " number" : "") }, "NULL")
    : el("td", { className: (c.number ? "number" : "") + (c.wide ? " wide" : "") + (c.fixed ? " fixed" : "") }, v);
  return el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    el("table", {},
      el("thead", {}, el("tr", {}, columns.map((c) => el("th", { scope: "col", className: c.number ? "number" : "" }, c.name)))),
      el("tbody", {}, rows.map((r) => el("tr", {}, columns.map((c, i) => cell(c, r[i])))))));
}

export const note = (text) => el("p", { className: "note" }, text);

export const badge = (type) => el("span", { className: "badge " + type }, type.replaceAll("_", " "));

// bar shows a part of the largest.
export function bar(part, most, label) {
  const fill = el("i");
  fill.style.setProperty("width", (most > 0 ? Math.round((100 * part) / most) : 0) + "%");
  return el("div", { className: "bar" }, fill, el("b", {}, label));
}

export function size(bytes) {
  let n = bytes;
  for (const unit of ["B", "KB", "MB", "GB", "TB"]) {
    if (n < 1024 || unit === "TB") return (unit === "B" || n >= 100 ? Math.round(n) : n.toFixed(1)) + " " + unit;
    n /= 1024;
  }
}

export function time(micros) {
  const n = Number(micros);
  if (n < 1000) return n + " µs";
  if (n < 1e6) return (n / 1000).toFixed(n < 1e4 ? 2 : 1) + " ms";
  return (n / 1e6).toFixed(2) + " s";
}

export const number = (n) => String(n ?? "").replace(/\B(?=(\d{3})+(?!\d))/g, " ");
