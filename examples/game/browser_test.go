package main

import (
	"os"
	"strconv"
	"testing"
)

// Two people play in the browser, beside some robots. With SHOTS the pictures stay
// in that folder.
func TestBrowser(t *testing.T) {
	b := startBrowser(t)
	g := startGame(t)
	dir := os.Getenv("SHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	g.robots(t, 6, "ruby")
	alice := b.open(g.pages[0], 1280, 800, false)
	alice.shoot(dir, "login")
	alice.fill("name", "alice")
	bob := b.open(g.pages[1], 390, 844, true)
	bob.shoot(dir, "login-phone")
	bob.fill("name", "bob")
	for _, p := range []*tab{alice, bob} {
		p.until(`arena.players.has("alice") && arena.players.has("bob")`)
	}

	// Alice moves, and bob sees it.
	const seen = `arena.players.get("alice").path.at(-1).y`
	from := number(t, bob, seen)
	code, moved := "ArrowDown", func() bool { return number(t, bob, seen) > from+50 }
	if from > height/2 {
		code, moved = "ArrowUp", func() bool { return number(t, bob, seen) < from-50 }
	}
	alice.key("keyDown", code)
	eventually(t, "bob sees alice move", moved)
	alice.key("keyUp", code)

	alice.fill("words", "hello bob")
	bob.until(`document.getElementById("lines").textContent.includes("alice hello bob")`)
	bob.fill("words", "hello alice")

	// She goes where a gem is.
	const score = `document.querySelector("#board .you span:last-child").textContent`
	eventually(t, "alice finds gems", func() bool {
		alice.press(`arena.view.x + arena.gems[0][0] * arena.view.scale`, `arena.view.y + arena.gems[0][1] * arena.view.scale`)
		return number(t, alice, score) > 2
	})
	alice.until(`document.querySelector("#top .you") !== null`)
	alice.shoot(dir, "laptop")
	bob.shoot(dir, "phone")
	points := number(t, alice, score)

	// The connection ends, then the page is loaded again: it is the same session.
	key := alice.eval("session.key")
	alice.eval("session.socket.close()")
	alice.until("!session.open")
	alice.until("session.open")
	alice.must("Page.reload", nil, nil)
	alice.until(`!!(window.session?.open && document.querySelector("#board .you"))`)
	if got := number(t, alice, score); got < points {
		t.Errorf("alice has %v points after a reconnect, and had %v", got, points)
	}
	if got := alice.eval("session.key"); got != key {
		t.Error("it is another session")
	}

	// Their room dies.
	g.Kill("room1")
	g.Kill("room2")
	if err := g.Start("room2"); err != nil {
		t.Fatal(err)
	}
	bob.eval(`arena.players.clear()`)
	bob.until(`arena.players.has("alice")`)
	if got := number(t, alice, score); got < points {
		t.Errorf("alice has %v points after her room died, and had %v", got, points)
	}

	// Bob logs in elsewhere.
	other := b.open(g.pages[0], 844, 390, true)
	other.fill("name", "bob")
	bob.until(`document.getElementById("refused").textContent.includes("elsewhere")`)
	other.until(`arena.players.has("alice")`)
	other.shoot(dir, "phone-across")
}

func number(t *testing.T, p *tab, expression string) float64 {
	t.Helper()
	text := p.eval(expression)
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s is %q", expression, text)
	}
	return n
}
