// The picture of a room. Places come ten times a second; between them everything
// moves smoothly, a little late.
const delay = 120; // ms

export class Arena {
  constructor(canvas) {
    Object.assign(this, {canvas, g: canvas.getContext("2d"), you: "", width: 1600, height: 1000, tint: "#34d399"});
    this.players = new Map();
    this.gems = [];
    this.sparks = [];
    this.view = {x: 0, y: 0, scale: 1};
    this.stars = Array.from({length: 140}, (_, i) => [(i * 733) % 1600, (i * 419) % 1000, 1 + i % 3]);
    requestAnimationFrame((t) => this.draw(t));
  }

  enter(you, width, height, tint) {
    Object.assign(this, {you, width, height, tint});
    this.players.clear();
    this.sparks = [];
  }

  // colour is always the same for a name.
  colour(name) {
    let h = 0;
    for (const c of name) h = (h * 31 + c.charCodeAt(0)) % 360;
    return `hsl(${(h * 47) % 360} 80% 66%)`;
  }

  look(players, gems) {
    const now = performance.now(), seen = new Set();
    for (const [name, x, y, score] of players) {
      const p = this.players.get(name) || {name, path: [], score, said: "", until: 0};
      p.path = [...p.path.filter((s) => now - s.at < 600), {at: now, x, y}];
      if (score > p.score) {
        for (let i = 0; i < 14; i++) this.sparks.push({x, y, born: now, a: i * 0.45, v: 40 + 7 * i, colour: this.colour(name)});
        this.sparks.push({x, y, born: now, text: "+" + (score - p.score), colour: "#fff"});
      }
      p.score = score;
      this.players.set(name, p);
      seen.add(name);
    }
    for (const name of this.players.keys()) if (!seen.has(name)) this.players.delete(name);
    this.gems = gems;
  }

  hear(name, text) {
    const p = this.players.get(name);
    if (p) Object.assign(p, {said: text.length > 32 ? text.slice(0, 30) + "…" : text, until: performance.now() + 4000});
  }

  // towards gives the direction from the own player to a point of the window.
  towards(x, y) {
    const p = this.players.get(this.you);
    if (!p || !p.at) return [0, 0];
    const v = this.view, dx = (x - v.x) / v.scale - p.at.x, dy = (y - v.y) / v.scale - p.at.y, l = Math.hypot(dx, dy);
    return l < 12 ? [0, 0] : [Math.round(100 * dx / l), Math.round(100 * dy / l)];
  }

  place(p, now) {
    const t = now - delay, next = p.path.findIndex((s) => s.at > t);
    if (next < 0) return p.path.at(-1);
    if (next === 0) return p.path[0];
    const a = p.path[next - 1], b = p.path[next], f = (t - a.at) / (b.at - a.at);
    return {x: a.x + (b.x - a.x) * f, y: a.y + (b.y - a.y) * f};
  }

  draw(now) {
    requestAnimationFrame((t) => this.draw(t));
    now = performance.now();
    const {canvas, g} = this, dpr = Math.min(devicePixelRatio || 1, 2), w = innerWidth, h = innerHeight;
    if (canvas.width !== Math.round(w * dpr) || canvas.height !== Math.round(h * dpr)) {
      canvas.width = Math.round(w * dpr);
      canvas.height = Math.round(h * dpr);
    }
    for (const p of this.players.values()) p.at = this.place(p, now);
    // All of it if that is not too small, else what is around the player.
    const me = this.players.get(this.you), margin = 14, wide = w > 720;
    const right = wide ? w - 270 : w, top = 50, bottom = wide ? h : h - 110; // what the panels leave
    const scale = Math.max(Math.min((right - 2 * margin) / this.width, (bottom - top - 2 * margin) / this.height), 0.62);
    const follow = (size, from, to, at) => size * scale <= to - from ? (from + to - size * scale) / 2
      : Math.min(from + margin, Math.max(to - size * scale - margin, (from + to) / 2 - at * scale));
    this.view = {scale, x: follow(this.width, 0, right, me?.at.x ?? this.width / 2), y: follow(this.height, top, bottom, me?.at.y ?? this.height / 2)};
    g.setTransform(dpr, 0, 0, dpr, 0, 0);
    g.fillStyle = "#0a0e1c";
    g.fillRect(0, 0, w, h);
    g.setTransform(dpr * scale, 0, 0, dpr * scale, dpr * this.view.x, dpr * this.view.y);
    this.ground();
    this.gems.forEach((gem, i) => this.gem(gem, now / 1000 + i));
    for (const p of this.players.values()) this.player(p, now);
    this.sparks = this.sparks.filter((s) => now - s.born < 900);
    for (const s of this.sparks) this.spark(s, (now - s.born) / 900);
    g.globalAlpha = 1;
  }

  ground() {
    const {g, width, height} = this;
    const light = g.createRadialGradient(width / 2, height / 2, 100, width / 2, height / 2, width * 0.65);
    light.addColorStop(0, "#1b2547");
    light.addColorStop(1, "#10162c");
    g.beginPath();
    g.roundRect(0, 0, width, height, 28);
    g.fillStyle = light;
    g.fill();
    g.strokeStyle = "#ffffff0b";
    g.lineWidth = 1;
    for (let x = 100; x < width; x += 100) { g.moveTo(x, 0); g.lineTo(x, height); }
    for (let y = 100; y < height; y += 100) { g.moveTo(0, y); g.lineTo(width, y); }
    g.stroke();
    g.fillStyle = "#ffffff22";
    for (const [x, y, r] of this.stars) g.fillRect(x, y, r, r);
    g.beginPath();
    g.roundRect(0, 0, width, height, 28);
    g.strokeStyle = this.tint + "88";
    g.lineWidth = 3;
    g.stroke();
  }

  gem([x, y, worth], t) {
    const {g} = this, r = 9 + 2.5 * worth, turn = Math.abs(Math.cos(t * 1.6)) * 0.55 + 0.45;
    g.save();
    g.translate(x, y + 3 * Math.sin(t * 2));
    g.scale(turn, 1);
    g.shadowColor = g.fillStyle = ["#7dd3fc", "#86efac", "#fcd34d", "#fda4af", "#d8b4fe"][worth - 1];
    g.shadowBlur = 18;
    g.beginPath();
    g.moveTo(0, -r); g.lineTo(r * 0.75, -r * 0.25); g.lineTo(0, r); g.lineTo(-r * 0.75, -r * 0.25);
    g.fill();
    g.shadowBlur = 0;
    g.fillStyle = "#ffffff77";
    g.beginPath();
    g.moveTo(0, -r); g.lineTo(r * 0.3, -r * 0.25); g.lineTo(-r * 0.3, -r * 0.25);
    g.fill();
    g.restore();
  }

  player(p, now) {
    const {g} = this, {x, y} = p.at, mine = p.name === this.you, colour = this.colour(p.name);
    const from = p.path[0], to = p.path.at(-1), dx = to.x - from.x, dy = to.y - from.y, l = Math.hypot(dx, dy) || 1;
    for (let i = 1; i < 8 && l > 5; i++) { // a tail
      g.globalAlpha = 0.16 * (1 - i / 8);
      this.disc(x - dx / l * i * 11, y - dy / l * i * 11, 20 - 2 * i, colour);
    }
    g.globalAlpha = 1;
    g.shadowColor = colour;
    g.shadowBlur = mine ? 26 : 10;
    this.disc(x, y, 22, colour);
    g.shadowBlur = 0;
    if (mine) {
      g.strokeStyle = "#fff";
      g.lineWidth = 3;
      g.stroke();
    }
    for (const side of [-1, 1]) { // eyes look where it goes
      const ex = x + dx / l * 6 + side * 8, ey = y + dy / l * 6 - 4;
      this.disc(ex, ey, 6, "#fff");
      this.disc(ex + dx / l * 2.5, ey + dy / l * 2.5, 3, "#111827");
    }
    g.textAlign = "center";
    g.font = "600 17px system-ui, sans-serif";
    g.fillStyle = mine ? "#fff" : "#cbd5e1";
    g.fillText(p.name, x, y + 44);
    if (now < p.until) {
      g.font = "500 18px system-ui, sans-serif";
      const w = g.measureText(p.said).width + 24;
      g.fillStyle = "#f8fafcee";
      g.beginPath();
      g.roundRect(x - w / 2, y - 70, w, 34, 12);
      g.fill();
      g.fillStyle = "#0f172a";
      g.fillText(p.said, x, y - 47);
    }
  }

  disc(x, y, r, colour) {
    this.g.fillStyle = colour;
    this.g.beginPath();
    this.g.arc(x, y, r, 0, 2 * Math.PI);
    this.g.fill();
  }

  spark(s, age) {
    const {g} = this;
    g.globalAlpha = 1 - age;
    if (s.text) {
      g.font = "700 26px system-ui, sans-serif";
      g.fillStyle = s.colour;
      g.textAlign = "center";
      return g.fillText(s.text, s.x, s.y - 34 - 40 * age);
    }
    const d = 20 + s.v * age;
    this.disc(s.x + Math.cos(s.a) * d, s.y + Math.sin(s.a) * d, 4 * (1 - age), s.colour);
  }
}
