import {Session} from "./session.js";
import {Arena} from "./arena.js";

const $ = (id) => document.getElementById(id);
const colours = {ruby: "#fb7185", emerald: "#34d399", sapphire: "#60a5fa", amber: "#fbbf24"};
const memory = "gems"; // of this tab, to go on after a reload

const arena = new Arena($("arena"));
const me = {name: "", kind: "ruby", n: 0, sent: new Map()};
const doors = await (await fetch("doors")).json();
const session = new Session({logins: doors.slice(0, -1), gate: doors.at(-1)}, {
  welcome(fresh) {
    $("login").hidden = true;
    for (const id of ["where", "boards", "talk", "rooms"]) $(id).hidden = false;
    notice("");
    if (fresh) session.send({enter: me.kind});
    $("arena").focus();
  },
  update(u) {
    if (u.room) enter(u.room);
    if (u.world) look(u.world);
    if (u.chat) hear(u.chat);
    if (u.top) list($("top"), u.top);
    if (u.error) notice(u.error);
  },
  lost() { notice("Connection lost, trying again …"); },
  refused(text) {
    sessionStorage.removeItem(memory);
    $("login").hidden = false;
    $("refused").textContent = text;
  },
});

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

function enter([name, you, width, height, n]) {
  me.name = you;
  me.n = Math.max(me.n, n);
  me.kind = name.split(" ")[0];
  arena.enter(you, width, height, colours[me.kind]);
  $("room").textContent = name;
  document.documentElement.style.setProperty("--mine", colours[me.kind]);
  for (const b of $("rooms").children) b.setAttribute("aria-pressed", b.value === me.kind);
}

function look([players, gems]) {
  arena.look(players, gems);
  list($("board"), players.map(([name, , , score]) => [name, score]).sort((a, b) => b[1] - a[1]).slice(0, 8));
  const mine = players.find(([name]) => name === me.name);
  if (!mine) return;
  me.n = Math.max(me.n, mine[4]);
  for (const [n, at] of me.sent) {
    if (n > mine[4]) break;
    $("delay").textContent = Math.round(performance.now() - at) + " ms";
    me.sent.delete(n);
  }
}

function list(ol, rows) {
  ol.replaceChildren(...rows.map(([name, score]) => {
    const li = document.createElement("li");
    li.className = name === me.name ? "you" : "";
    for (const text of [name, score]) li.append(Object.assign(document.createElement("span"), {textContent: text}));
    return li;
  }));
}

function hear([from, text]) {
  const line = document.createElement("div"), who = document.createElement("b");
  who.textContent = from + " ";
  who.style.color = arena.colour(from);
  line.append(who, text);
  $("lines").append(line);
  while ($("lines").children.length > 8) $("lines").firstChild.remove();
  arena.hear(from, text);
}

// Steering: a change of direction is sent at most each 60 ms.
let heading = [0, 0], sent = "0,0", keys = new Set(), pressed = null;
const arrows = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  KeyA: [-1, 0], KeyD: [1, 0], KeyW: [0, -1], KeyS: [0, 1],
};
setInterval(() => {
  if (pressed) heading = arena.towards(...pressed);
  if (heading.join() === sent || !session.open) return;
  sent = heading.join();
  session.send({move: [++me.n, ...heading]});
  me.sent.set(me.n, performance.now());
}, 60);

setInterval(() => session.send({}), 5000); // a sign of life

function steer() {
  const sum = [0, 0];
  for (const k of keys) arrows[k].forEach((v, i) => sum[i] += 100 * v);
  heading = sum;
}
addEventListener("keydown", (e) => {
  if (e.target.tagName === "INPUT") return;
  if (e.key === "Enter") return e.target.tagName !== "BUTTON" && ($("words").focus(), e.preventDefault());
  if (!arrows[e.code]) return;
  e.preventDefault();
  keys.add(e.code);
  steer();
});
addEventListener("keyup", (e) => keys.delete(e.code) && steer());
addEventListener("blur", () => { keys.clear(); steer(); });
$("arena").addEventListener("pointerdown", (e) => { pressed = [e.clientX, e.clientY]; $("arena").setPointerCapture(e.pointerId); });
$("arena").addEventListener("pointermove", (e) => { if (pressed) pressed = [e.clientX, e.clientY]; });
for (const up of ["pointerup", "pointercancel"]) $("arena").addEventListener(up, () => { pressed = null; steer(); });

$("say").addEventListener("submit", (e) => {
  e.preventDefault();
  if ($("words").value.trim()) session.send({say: $("words").value.trim()});
  $("words").value = "";
  $("arena").focus();
});
for (const [kind, colour] of Object.entries(colours)) {
  const gem = `<i class="gem" style="--c:${colour}"></i>`;
  $("kinds").insertAdjacentHTML("beforeend", `<label style="--c:${colour}"><input type="radio" name="kind" value="${kind}"><span>${gem}${kind}</span></label>`);
  $("rooms").insertAdjacentHTML("beforeend", `<button value="${kind}" aria-label="Go to ${kind}">${gem}<span class="name">${kind}</span></button>`);
}
$("kinds").querySelector("input").checked = true;
$("rooms").addEventListener("click", (e) => {
  const b = e.target.closest("button");
  if (b) session.send({enter: b.value});
  $("arena").focus();
});
$("login").addEventListener("submit", (e) => {
  e.preventDefault();
  $("refused").textContent = "";
  me.kind = new FormData($("login")).get("kind");
  session.login($("name").value.trim());
});

const kept = JSON.parse(sessionStorage.getItem(memory) || "null");
addEventListener("pagehide", () => session.key && sessionStorage.setItem(memory, JSON.stringify({...session.remember(), kind: me.kind})));
if (kept) {
  me.kind = kept.kind;
  session.resume(kept);
}
Object.assign(window, {arena, session}); // for the console, and for tests
