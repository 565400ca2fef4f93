package main

import (
	"os"
	"testing"
)

// Two people play in the browser, beside some robots.
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
	alice.fill("document.getElementById('name')", "alice")
	bob := b.open(g.pages[1], 390, 844, true)
	bob.shoot(dir, "login-phone")
	bob.fill("document.getElementById('name')", "bob")
	const rows = `[...document.querySelectorAll("#board li span:first-child")].map(s => s.textContent)`
	for _, p := range []*tab{alice, bob} {
		p.until(rows + `.join().includes("alice")`)
	}
	alice.shoot(dir, "laptop")
	bob.shoot(dir, "phone")
}
