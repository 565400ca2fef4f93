// The live page of a debug console: it polls the state of the node and makes rates
// of its counters. Names and texts come from other nodes, so they are only ever set
// as text.
import { Table, element, setText, svg } from "./table.js";
import { draw, stateText } from "./links.js";

const pause = 2000, patience = 5000, mostServices = 200, mostLines = 400, history = 60;
const levels = ["debug", "info", "warn", "error"];
const id = (name) => document.getElementById(name);

// Texts of numbers.
const count = (n) => n.toLocaleString("en");
const rate = (n) => (n === null ? "…" : n >= 100 || n === 0 ? count(Math.round(n)) : n.toFixed(1));
const percent = (n) => (n === null ? "…" : `${(100 * n).toFixed(n >= 0.1 ? 0 : 1)} %`);
function bytes(n) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (n < 1000 || unit === "GB") return `${n < 10 && unit !== "B" ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1000;
  }
}
const byteRate = (n) => (n === null ? "…" : `${bytes(n)}/s`);
function ago(seconds) {
  const s = Math.max(0, seconds);
  if (s < 60) return `${s.toFixed(s < 10 ? 1 : 0)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  return s < 86400 ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min` : `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}
const add = (a, b) => a + b;
const sum = (o) => Object.values(o).reduce(add, 0);

// A counter's rate is over the time between two answers; what began anew starts at 0, and handled goes
// round at 2^32.
let before = new Map(), now = new Map(), at = 0, last = 0;
function perSecond(key, value, round = 0) {
  now.set(key, value);
  if (!before.has(key) || at <= last) return null;
  let d = value - before.get(key);
  if (d < 0) d = round ? d + round : value;
  return d / ((at - last) / 1000);
}

// asked counts how often a service was asked what waits in it, which is no load to be shown.
let node = null, logged = 0;
const asked = new Map();
const series = { rate: [], cpu: [], mailbox: [] };

const services = new Table(id("services-table"), [
  { title: "Service", value: (s) => s.name, text: (s) => s.name, action: (s) => showTasks(s) },
  { title: "Mailbox", number: true, value: (s) => s.mailbox, text: (s) => count(s.mailbox), share: (s) => s.mailbox / 100 },
  { title: "Messages/s", number: true, value: (s) => s.rate ?? 0, text: (s) => rate(s.rate) },
  { title: "CPU", number: true, value: (s) => s.cpu ?? 0, text: (s) => (node.profile ? percent(s.cpu) : "off"), share: (s) => s.cpu ?? 0 },
  { title: "Waiting", number: true, value: (s) => s.waiting ?? -1, text: (s) => (s.waiting === null ? "no answer" : count(s.waiting)) },
  { title: "Dropped", number: true, value: (s) => sum(s.drops), text: (s) => count(sum(s.drops)) },
  { title: "Address", value: (s) => Number.parseInt(s.address.slice(1), 16), text: (s) => s.address },
], { caption: "", key: (s) => s.address, most: mostServices });

const links = new Table(id("links-table"), [
  { title: "Node", value: (l) => l.node, text: (l) => l.node },
  { title: "State", value: (l) => l.state, text: stateText, kind: (l) => l.state },
  { title: "Since", number: true, value: (l) => l.age, text: (l) => ago(l.age) },
  { title: "Requests/s", number: true, value: (l) => l.requestRate ?? 0, text: (l) => rate(l.requestRate) },
  { title: "Pushes/s", number: true, value: (l) => l.pushRate ?? 0, text: (l) => rate(l.pushRate) },
  { title: "Answers/s", number: true, value: (l) => l.answerRate ?? 0, text: (l) => rate(l.answerRate) },
  { title: "Errors", number: true, value: (l) => l.errors, text: (l) => count(l.errors) },
  { title: "Dropped", number: true, value: (l) => sum(l.dropped), text: (l) => count(sum(l.dropped)) },
  { title: "Last error", value: (l) => l.error ?? "", text: (l) => l.error ?? "" },
  { title: "Address", value: (l) => l.address, text: (l) => l.address },
], { caption: "", key: (l) => l.node });

const sockets = new Table(id("sockets-table"), [
  { title: "fd", number: true, value: (s) => s.fd, text: (s) => String(s.fd) },
  { title: "Type", value: (s) => s.type + s.scheme, text: (s) => `${s.type} ${s.scheme.replace("://", "")}` },
  { title: "Peer or port", value: (s) => s.address, text: (s) => s.address },
  { title: "Owner", value: (s) => s.owner_name, text: (s) => `${s.owner_name} ${s.owner}` },
  { title: "Read", number: true, value: (s) => s.readRate ?? 0, text: (s) => (s.type === "LISTEN" ? `${count(s.accepted)} accepted` : byteRate(s.readRate)) },
  { title: "Written", number: true, value: (s) => s.writeRate ?? 0, text: (s) => (s.type === "LISTEN" ? "" : byteRate(s.writeRate)) },
  { title: "Packets/s", number: true, value: (s) => s.packetRate ?? 0, text: (s) => (s.type === "LISTEN" ? "" : rate(s.packetRate)) },
  { title: "To be written", number: true, value: (s) => s.pending_bytes, text: (s) => (s.type === "LISTEN" ? "" : bytes(s.pending_bytes)), share: (s) => s.pending_bytes / 1e6 },
  { title: "Dropped", number: true, value: (s) => s.dropped_bytes, text: (s) => bytes(s.dropped_bytes) },
  { title: "Last read", number: true, value: (s) => s.silent, text: (s) => (s.last_read ? `${ago(s.silent)} ago` : "never") },
], { caption: "", key: (s) => String(s.fd) });

function showNode() {
  const up = (Date.parse(node.now) - Date.parse(node.started)) / 1000;
  const handled = perSecond("handled", node.handled - [...asked.values()].reduce(add, 0)), cpu = perSecond("cpu", node.cpu_seconds);
  setText(id("node"), node.id.slice(0, 8));
  id("node").title = node.id;
  setText(id("about"), `process ${node.pid}, ${node.go}, up ${ago(up)}`);
  document.title = `skynet node ${node.id.slice(0, 8)}`;
  for (const [name, value] of [["rate", handled], ["cpu", cpu], ["mailbox", node.mailbox]]) {
    series[name].push(value ?? 0);
    series[name].splice(0, series[name].length - history);
  }
  figure("Services", count(node.services), `${count(node.launched)} launched`);
  figure("Messages/s", rate(handled), `${count(node.handled)} handled`, series.rate);
  figure("CPU of services", node.profile ? percent(cpu) : "off", `of ${node.processors * 100} %`, series.cpu);
  figure("In mailboxes", count(node.mailbox), "messages", series.mailbox);
  figure("Memory", bytes(node.heap_bytes), `${count(node.goroutines)} goroutines`);
  figure("Dropped", count(sum(node.drops)), Object.entries(node.drops).filter(([, n]) => n > 0).map(([k, n]) => `${k.replace("_", " ")} ${n}`).join(", ") || "no messages");
}

const figures = new Map();
function figure(name, value, detail, values) {
  let f = figures.get(name);
  if (!f) {
    f = { value: element("dd", { className: "value" }), detail: element("dd", { className: "detail" }) };
    const box = element("div", {}, element("dt", {}, name), f.value, f.detail);
    if (values) {
      const picture = svg("svg", { viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" });
      f.curve = svg("polyline", {});
      picture.append(f.curve);
      box.append(element("dd", { className: "curve" }, picture));
    }
    id("figures").append(box);
    figures.set(name, f);
  }
  setText(f.value, value);
  setText(f.detail, detail);
  const most = Math.max(...(values ?? []), 1e-9);
  f.curve?.setAttribute("points", values.map((v, i) => `${((100 * (i + history - values.length)) / (history - 1)).toFixed(1)},${(29 - (27 * v) / most).toFixed(1)}`).join(" "));
}

let allServices = [];
function showServices(list) {
  allServices = list;
  for (const s of list) {
    const mine = asked.get(s.address) ?? 0;
    s.rate = perSecond(`${s.address} handled`, s.handled - mine, 2 ** 32);
    if (s.waiting !== null) asked.set(s.address, mine + 1);
    s.cpu = perSecond(`${s.address} cpu`, s.cpu_seconds);
  }
  filterServices();
}
function filterServices() {
  if (!node) return;
  const text = id("find").value.trim().toLowerCase();
  const list = allServices.filter((s) => `${s.name} ${s.address}`.toLowerCase().includes(text));
  const all = allServices.length === node.services ? "" : ` of the ${count(allServices.length)} with the longest mailboxes, then the most CPU time, out of ${count(node.services)}`;
  setText(services.caption, `Services: ${count(list.length)}${all}. Press a name to see what it waits for.`);
  services.update(list);
}

let allLinks = [];
function showLinks(list) {
  allLinks = list;
  for (const l of list) {
    l.age = (Date.parse(node.now) - Date.parse(l.since)) / 1000;
    for (const [to, from] of [["requestRate", "requests"], ["pushRate", "pushes"], ["answerRate", "answers"], ["errorRate", "errors"]]) l[to] = perSecond(`${l.node} ${from}`, l[from]);
  }
  setText(links.caption, list.length === 0 ? "No links: this node has called no other node." : `Links to other nodes: ${count(list.length)}`);
  links.update(list);
  drawLinks();
}
function drawLinks() {
  draw(id("picture"), allLinks, (l) => `${rate(l.requestRate === null ? null : l.requestRate + l.pushRate)}/s, ${count(l.errors)} errors`);
}

function showSockets(list) {
  const up = (Date.parse(node.now) - Date.parse(node.started)) / 1000;
  for (const s of list) {
    s.readRate = perSecond(`fd ${s.fd} read`, s.read_bytes);
    s.writeRate = perSecond(`fd ${s.fd} written`, s.written_bytes);
    s.packetRate = perSecond(`fd ${s.fd} packets`, s.packets);
    s.silent = up - s.last_read;
  }
  const open = list.filter((s) => s.type !== "LISTEN").length;
  setText(sockets.caption, `Connections: ${count(open)}, listeners: ${count(list.length - open)}${list.length > sockets.most ? `; ${sockets.most} are shown` : ""}`);
  sockets.update(list);
}

function showLog(list) {
  const lines = id("lines"), bottom = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 8;
  for (const l of list) {
    logged = l.number;
    const time = new Date(l.time).toLocaleTimeString("en-GB");
    lines.append(element("li", { className: l.level },
      element("time", { dateTime: l.time }, time), " ", element("b", {}, l.level), " ", element("i", {}, l.source), " ", element("span", {}, l.text)));
  }
  while (lines.children.length > mostLines) lines.firstChild.remove();
  if (bottom) lines.scrollTop = lines.scrollHeight;
}

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(patience) });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

async function update() {
  const begun = performance.now();
  const answers = await Promise.all([
    ask("/debug/node"), ask(`/debug/services?waiting=1&limit=${mostServices}`), ask("/debug/links"), ask("/debug/sockets"),
    ask(`/debug/log?after=${logged}&limit=${mostLines}`)]);
  if (node && node.id !== answers[0].id) { // another node answers here now: nothing goes on
    now.clear();
    asked.clear();
    logged = 0;
    id("lines").replaceChildren();
    node = null;
    return update();
  }
  [before, now, last, at, node] = [now, new Map(), at, begun, answers[0]];
  showNode();
  [showServices, showLinks, showSockets, showLog].forEach((show, i) => show(answers[i + 1]));
}

let silentSince = null;
async function round() {
  const begun = performance.now();
  if (!document.hidden) {
    try {
      await update();
      silentSince = null;
      setText(id("state"), "● Live");
    } catch (err) {
      silentSince ??= new Date().toLocaleTimeString("en-GB");
      setText(id("state"), `✕ The node does not answer since ${silentSince}. What is shown was so before. (${err.message})`);
      document.title = "✕ skynet node: no answer";
    }
    document.body.classList.toggle("silent", silentSince !== null);
  }
  setTimeout(round, Math.max(pause, 10 * (performance.now() - begun))); // a slow node is asked less often
}

async function showTasks(service) {
  const list = id("tasks-list"), state = id("tasks-state");
  setText(id("tasks-title"), `${service.name} ${service.address} waits for`);
  list.replaceChildren();
  setText(state, "Asking…");
  id("tasks").showModal();
  try {
    const tasks = await ask(`/debug/tasks/${encodeURIComponent(service.address)}`);
    setText(state, tasks.length === 0 ? "Nothing." : `${count(tasks.length)}:`);
    list.append(...tasks.slice(0, mostServices).map((t) => element("article", {},
      element("h3", {}, [t.what, t.peer_name, t.peer, t.token, `for ${ago(t.seconds)}`].filter(Boolean).join(" ")),
      element("p", {}, t.source ? `session ${t.session}, for request ${t.request} of ${t.source}` : `session ${t.session}`),
      element("pre", { tabIndex: 0 }, t.stack ?? ""))));
  } catch (err) {
    setText(state, `No answer: ${err.message}`);
  }
}

id("find").addEventListener("input", filterServices);
id("level").addEventListener("change", () => {
  const least = levels.indexOf(id("level").value);
  levels.forEach((level, i) => id("lines").classList.toggle(`no-${level}`, i < least));
  id("lines").scrollTop = id("lines").scrollHeight;
});
id("lines").classList.add("no-debug");
window.addEventListener("resize", drawLinks);
round();
