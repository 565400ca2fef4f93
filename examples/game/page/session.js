// A session with the server, over connections that come and go: see docs/sessions.md.
import {pack, unpack} from "./msgpack.js";

const letter = (c) => c.charCodeAt(0);
const string = (b) => new TextDecoder().decode(b);

export class Session {
  // events: welcome(fresh), update(u), lost(), refused(text)
  constructor(doors, events) {
    Object.assign(this, {doors, events, last: 0, key: "", name: "", tries: 0});
  }

  login(name) {
    Object.assign(this, {name, key: "", last: 0});
    this.connect(this.doors.logins[this.tries++ % this.doors.logins.length], this.hello("L", name));
  }

  // resume goes on with a session; memory is what remember gave.
  resume(memory) {
    Object.assign(this, memory);
    const hello = this.hello("R", "...." + this.key);
    new DataView(hello.buffer).setUint32(1, this.last);
    this.connect(this.doors.gate, hello);
  }

  remember() { return {name: this.name, key: this.key, last: this.last}; }

  hello(kind, rest) { return new TextEncoder().encode(kind + rest); }

  send(request) {
    if (this.open) this.socket.send(pack(request));
  }

  connect(url, hello) {
    this.close();
    const ws = this.socket = new WebSocket(url);
    ws.binaryType = "arraybuffer";
    ws.onopen = () => ws.send(hello);
    ws.onmessage = (e) => ws === this.socket && this.packet(new Uint8Array(e.data));
    ws.onclose = () => {
      if (ws !== this.socket) return; // it was replaced
      this.open = false;
      this.events.lost();
      setTimeout(() => ws === this.socket && this.again(), 500);
    };
  }

  again() {
    if (this.key) this.resume({});
    else this.login(this.name);
  }

  close() {
    this.open = false;
    const ws = this.socket;
    this.socket = null;
    if (ws) ws.close();
  }

  packet(b) {
    const view = new DataView(b.buffer);
    switch (b[0]) {
    case letter("G"):
      return this.connect(this.doors.gate, this.hello("T", string(b.subarray(1, 27))));
    case letter("W"): {
      const fresh = !this.key;
      this.last += view.getUint32(1);
      this.key = string(b.subarray(9));
      this.open = true;
      return this.events.welcome(fresh);
    }
    case letter("P"):
      this.last = view.getUint32(1);
      return this.events.update(unpack(b.subarray(5)));
    case letter("N"): {
      const [reason, ...words] = string(b.subarray(1)).split(" ");
      if (reason === "denied" || reason === "taken" || reason === "replaced") {
        this.close();
        return this.events.refused(words.join(" ") || {taken: "somebody plays with that name", replaced: "you play elsewhere now"}[reason] || reason);
      }
      this.key = ""; // log in again, once the connection has ended
    }
    }
  }
}
