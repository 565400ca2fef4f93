// Package docs_test keeps README.md and the pages of docs/ true: every fenced
// block is compiled, run, evaluated or compared with what the repository really
// does, every link leads somewhere, every name exists.
package docs_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// root is the repository's root, as seen from this folder.
const root = ".."

// maxLines and maxGuideLines keep pages short enough to be read.
const (
	maxLines      = 250
	maxGuideLines = 200
)

// page is one Markdown file; path is below the root.
type page struct {
	path   string
	text   string
	prose  string // the text without its fenced blocks, lines kept
	blocks []block
}

// block is one fenced block. Its info string is a kind, and words that say what
// to compare it with.
type block struct {
	page string
	line int
	kind string
	arg  string
	text string
}

func (b block) String() string {
	return fmt.Sprintf("%s:%d: block %q", b.page, b.line, strings.TrimSpace(b.kind+" "+b.arg))
}

// TestPagesAreShort counts what is to be read; what a program has measured is to be
// looked up.
func TestPagesAreShort(t *testing.T) {
	for _, p := range pages(t) {
		n := strings.Count(p.text, "\n")
		for _, b := range p.blocks {
			if b.arg == "figures" || b.arg == "bench" {
				n -= strings.Count(b.text, "\n")
			}
		}
		most := maxLines
		if path.Dir(p.path) != "." && path.Dir(p.path) != "docs" {
			most = maxGuideLines
		}
		if n > most {
			t.Errorf("%s has %d lines, more than %d", p.path, n, most)
		}
	}
}

func TestBlocks(t *testing.T) {
	seen := make(map[string]int)
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			seen[b.kind]++
			if err := b.check(); err != nil {
				t.Errorf("%v: %v", b, err)
			}
		}
	}
	for kind := range checks {
		if seen[kind] == 0 && kind != "conf" {
			t.Errorf("no page has a block of kind %q: were they found?", kind)
		}
	}
}

func TestLinks(t *testing.T) {
	count := 0
	for _, p := range pages(t) {
		for _, target := range links(p.prose) {
			count++
			if err := checkLink(p, target); err != nil {
				t.Errorf("%s: link %q: %v", p.path, target, err)
			}
		}
	}
	if count == 0 {
		t.Error("no link found")
	}
}

// TestLinkCheckFails sees to it that TestLinks can fail.
func TestLinkCheckFails(t *testing.T) {
	p := page{path: "docs/api.md", text: "# Title\n"}
	for _, target := range []string{"nosuch.md", "../actor/nosuch.go", "architecture.md#no-such-heading", "#nosuch", "http://example.org/"} {
		if checkLink(p, target) == nil {
			t.Errorf("link %q passed", target)
		}
	}
	if err := checkLink(p, "#title"); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(links("a [b](c.md) and [d](e.md#f), `[g](h.md)`")); got != "[c.md e.md#f]" {
		t.Errorf("links found: %s", got)
	}
}

// TestTranslations wants a page in Chinese for README.md and each page of the
// guide, with the same blocks in the same order, as many headings, rows
// and points, and the same names.
func TestTranslations(t *testing.T) {
	byPath := make(map[string]page)
	for _, p := range pages(t) {
		byPath[p.path] = p
	}
	count := 0
	for name, p := range byPath {
		if path.Dir(name) == "docs/zh" && byPath["docs/guide/"+path.Base(name)].path == "" {
			t.Errorf("%s translates nothing", name)
		}
		translated := ""
		switch {
		case name == "README.md":
			translated = "README.zh-CN.md"
		case path.Dir(name) == "docs/guide":
			translated = "docs/zh/" + path.Base(name)
		default:
			continue
		}
		count++
		if err := translates(p, byPath[translated]); err != nil {
			t.Errorf("%s and %s: %v", name, translated, err)
		}
	}
	if count < 2 {
		t.Error("no guide found")
	}
	for _, pair := range [][2]page{
		{{blocks: []block{{kind: "go", text: "a\n"}}}, {blocks: []block{{kind: "go", text: "b\n"}}}},
		{{blocks: []block{{kind: "go", text: "a\n"}}}, {}},
		{{prose: "## a\n"}, {prose: "a\n"}},
		{{prose: "`c.Call`\n"}, {prose: "`c.Send`\n"}},
	} {
		if translates(pair[0], pair[1]) == nil {
			t.Errorf("passed: %v", pair)
		}
	}
}

func translates(p, translated page) error {
	if len(p.blocks) != len(translated.blocks) {
		return fmt.Errorf("%d blocks and %d", len(p.blocks), len(translated.blocks))
	}
	for i, b := range p.blocks {
		if z := translated.blocks[i]; b.kind != z.kind || b.arg != z.arg || b.text != z.text {
			return fmt.Errorf("%v is another one at line %d", b, z.line)
		}
	}
	for _, begin := range []*regexp.Regexp{heading, tableRow, listItem} {
		if n, z := len(begin.FindAllString(p.prose, -1)), len(begin.FindAllString(translated.prose, -1)); n != z {
			return fmt.Errorf("%d of %v and %d", n, begin, z)
		}
	}
	names := func(p page) []string {
		found := inlineCode.FindAllString(p.prose, -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	if a, b := names(p), names(translated); !slices.Equal(a, b) {
		return fmt.Errorf("names %v and %v", a, b)
	}
	return nil
}

// TestUnfinishedBlock sees to it that no block hides the rest of a page.
func TestUnfinishedBlock(t *testing.T) {
	if _, err := parse("x.md", "a\n```go\nb\n"); err == nil {
		t.Error("an unfinished block passed")
	}
}

func pages(t *testing.T) []page {
	t.Helper()
	var paths []string
	for _, folder := range []string{".", "docs", "docs/guide", "docs/zh"} {
		found, err := filepath.Glob(filepath.Join(root, folder, "*.md"))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	var out []page
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parse(filepath.ToSlash(below), string(text))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func parse(path, text string) (page, error) {
	p := page{path: path, text: text}
	var prose, body strings.Builder
	var open *block
	n := 0
	for line := range strings.Lines(text) {
		n++
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && open == nil:
			kind, arg, _ := strings.Cut(strings.TrimLeft(strings.TrimSpace(line), "`"), " ")
			open = &block{page: path, line: n, kind: kind, arg: arg}
			body.Reset()
		case fence:
			open.text = body.String()
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			body.WriteString(line)
		}
		if fence || open != nil {
			line = "\n"
		}
		prose.WriteString(line)
	}
	if open != nil {
		return p, fmt.Errorf("%v does not end", open)
	}
	p.prose = prose.String()
	return p, nil
}

var (
	inlineCode = regexp.MustCompile("`[^`\n]+`")
	linkTarget = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	tableRow   = regexp.MustCompile(`(?m)^\|`)
	listItem   = regexp.MustCompile(`(?m)^(?:-|[0-9]\.) `)
	heading    = regexp.MustCompile(`(?m)^#+ +(.*)$`)
)

func links(prose string) []string {
	var out []string
	for _, m := range linkTarget.FindAllStringSubmatch(inlineCode.ReplaceAllString(prose, ""), -1) {
		out = append(out, m[1])
	}
	return out
}

// checkLink finds a file or folder of the repository, or a heading. What is
// outside must be https; nobody looks whether it is there.
func checkLink(p page, target string) error {
	if strings.Contains(target, "://") {
		if !strings.HasPrefix(target, "https://") {
			return fmt.Errorf("is not https")
		}
		return nil
	}
	file, anchor, hasAnchor := strings.Cut(target, "#")
	text := p.text
	if file != "" {
		path := filepath.Join(root, filepath.Dir(p.path), file)
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !hasAnchor || info.IsDir() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text = string(b)
	}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		if slug(m[1]) == anchor {
			return nil
		}
	}
	return fmt.Errorf("no heading #%s", anchor)
}

// slug is the anchor of a heading.
func slug(title string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsDigit(r) || unicode.IsLetter(r):
			return r
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(title))
}
