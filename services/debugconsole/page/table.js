// A table whose rows stay the same elements from one update to the next, so that
// focus, selection and a screen reader keep their place.

export function element(name, props = {}, ...children) {
  const e = Object.assign(document.createElement(name), props);
  e.append(...children);
  return e;
}

export function svg(name, attributes, text = "") {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.textContent = text;
  return e;
}

export function setText(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// A column is {title, value(row), text(row), number, share(row), action(row)}: what is sorted by, what is
// shown, whether it is a number, how much of its cell is filled, what a press on it does.
export class Table {
  constructor(table, columns, { caption, key, most = 200 }) {
    Object.assign(this, { columns, key, most, rows: [], shown: new Map(), column: null, down: false });
    this.caption = element("caption", {}, caption);
    this.body = element("tbody");
    const head = element("tr");
    this.heads = columns.map((c) => {
      const button = element("button", { type: "button" }, c.title);
      button.addEventListener("click", () => this.sort(c));
      const th = element("th", { scope: "col", className: c.number ? "number" : "" }, button);
      head.append(th);
      return th;
    });
    table.append(this.caption, element("thead", {}, head), this.body);
  }

  // Numbers begin with the largest.
  sort(column) {
    this.down = this.column === column ? !this.down : Boolean(column.number);
    this.column = column;
    this.heads.forEach((th, i) => {
      if (this.columns[i] === column) th.setAttribute("aria-sort", this.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    });
    this.update(this.rows);
  }

  // The order of rows is that of the node until a column is chosen.
  update(rows) {
    this.rows = rows;
    let list = rows;
    if (this.column) {
      const value = this.column.value, sign = this.down ? -1 : 1;
      list = [...rows].sort((a, b) => sign * compare(value(a), value(b)));
    }
    const old = this.shown;
    this.shown = new Map();
    let at = this.body.firstChild;
    for (const row of list.slice(0, this.most)) {
      const key = this.key(row), tr = old.get(key) ?? this.add();
      old.delete(key);
      this.shown.set(key, tr);
      this.fill(tr, row);
      if (tr === at) at = at.nextSibling;
      else this.body.insertBefore(tr, at);
    }
    for (const tr of old.values()) tr.remove();
    this.body.classList.toggle("empty", list.length === 0);
  }

  add() {
    const tr = element("tr");
    for (const [i, c] of this.columns.entries()) {
      const cell = element(i === 0 ? "th" : "td", { className: c.number ? "number" : "" });
      if (i === 0) cell.scope = "row";
      if (c.action) {
        const button = element("button", { type: "button" });
        button.addEventListener("click", () => c.action(tr.row));
        cell.append(button);
      }
      tr.append(cell);
    }
    return tr;
  }

  fill(tr, row) {
    tr.row = row;
    for (const [i, c] of this.columns.entries()) {
      const cell = tr.children[i];
      setText(c.action ? cell.firstChild : cell, c.text(row));
      if (c.share) cell.style.setProperty("--share", `${Math.min(100, 100 * c.share(row)).toFixed(0)}%`);
      if (c.kind) cell.dataset.kind = c.kind(row);
    }
  }
}

function compare(a, b) {
  return typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
}
