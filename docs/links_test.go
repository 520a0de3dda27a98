// Package docs holds no code: its tests hold the documentation to the rest of
// the repository. Nothing here asks the network.
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// root is the repository.
const root = ".."

// page is one Markdown file.
type page struct {
	name  string // path from root, with slashes
	lines []line
}

// line is a line of a page; lang is that of the fence that it lies in.
type line struct {
	no     int
	text   string
	fenced bool
	lang   string
}

// skipped are folders that hold nothing of ours.
var skipped = []string{".git", "node_modules", "testdata", "build", "clew-data", "dist"}

func files(t *testing.T, suffix string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, suffix):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func pages(t *testing.T) (all []*page) {
	t.Helper()
	for _, name := range files(t, ".md") {
		p := &page{name: name}
		fence, lang, comment := "", "", false
		for i, text := range strings.Split(read(t, name), "\n") {
			l := line{no: i + 1, text: text, fenced: fence != "", lang: lang}
			trimmed := strings.TrimSpace(text)
			switch mark := trimmed[:min(3, len(trimmed))]; {
			case fence != "" && strings.HasPrefix(trimmed, fence):
				fence, lang = "", ""
			case fence == "" && (mark == "```" || mark == "~~~"):
				fence, lang, l.fenced = mark, strings.TrimSpace(trimmed[3:]), true
				l.lang = ""
			case fence == "":
				comment = comment || strings.HasPrefix(trimmed, "<!--")
				l.fenced = comment || strings.HasPrefix(text, "    ") && !strings.HasPrefix(trimmed, "<")
				comment = comment && !strings.HasSuffix(trimmed, "-->")
			}
			p.lines = append(p.lines, l)
		}
		if fence != "" {
			t.Errorf("%s: a fence is not closed", name)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("only %d pages found", len(all))
	}
	return all
}

var (
	inlineCode = regexp.MustCompile("`[^`]*`")
	mdLink     = regexp.MustCompile(`\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)`)
	mdRef      = regexp.MustCompile(`^\s*\[[^\]]+\]:\s*(\S+)`)
	htmlLink   = regexp.MustCompile(`(?:href|src|srcset)="([^"]+)"`)
	heading    = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*\s*$`)
	htmlAnchor = regexp.MustCompile(`<a\s+(?:id|name)="([^"]+)"`)
)

// prose calls fn for every line that is not code, without its inline code.
func (p *page) prose(fn func(no int, text string)) {
	for _, l := range p.lines {
		if !l.fenced {
			fn(l.no, inlineCode.ReplaceAllString(l.text, "``"))
		}
	}
}

// links calls fn for every target that the page names.
func (p *page) links(fn func(no int, target string)) {
	p.prose(func(no int, text string) {
		for _, re := range []*regexp.Regexp{mdLink, mdRef, htmlLink} {
			for _, m := range re.FindAllStringSubmatch(text, -1) {
				fn(no, m[1])
			}
		}
	})
}

// anchors are the places of the page that a link can name, as GitHub makes them.
func (p *page) anchors() map[string]bool {
	out := map[string]bool{}
	for _, l := range p.lines {
		if l.fenced {
			continue
		}
		if m := heading.FindStringSubmatch(l.text); m != nil {
			slug := slugOf(m[1])
			for n := 1; out[slug]; n++ {
				slug = fmt.Sprintf("%s-%d", slugOf(m[1]), n)
			}
			out[slug] = true
		}
		for _, m := range htmlAnchor.FindAllStringSubmatch(l.text, -1) {
			out[m[1]] = true
		}
	}
	return out
}

var linkText = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)

func slugOf(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(linkText.ReplaceAllString(heading, "$1")) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// TestLinks follows every link of every page that stays in the repository, to
// files, images and headings.
func TestLinks(t *testing.T) {
	all := pages(t)
	anchors := map[string]map[string]bool{}
	for _, p := range all {
		anchors[p.name] = p.anchors()
	}
	seen := 0
	for _, p := range all {
		p.links(func(no int, target string) {
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				return
			}
			seen++
			file, anchor, hasAnchor := strings.Cut(target, "#")
			name := p.name
			if file != "" {
				name = path.Join(path.Dir(p.name), file)
				if strings.HasPrefix(file, "/") || strings.HasPrefix(name, "../") {
					t.Errorf("%s:%d: link to %s: want a path inside the repository, relative to the page", p.name, no, target)
					return
				}
				if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
					t.Errorf("%s:%d: link to %s: there is no %s", p.name, no, target, name)
					return
				}
			}
			if hasAnchor && !anchors[name][anchor] {
				t.Errorf("%s:%d: link to %s: %s has no heading for #%s", p.name, no, target, name, anchor)
			}
		})
	}
	if seen < 20 {
		t.Errorf("only %d links found", seen)
	}
}

var (
	sourcePath = regexp.MustCompile(`^[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+\.(?:go|md|ts|tsx)$`)
	testName   = regexp.MustCompile(`^(?:Test|Fuzz)[A-Z]\w*$`)
	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	configKey  = regexp.MustCompile(`^(?:ports|self_tracing|distributor|ingester|storage|frontend|ui)\.[a-z_]+(?:\.[a-z_]+)*$`)
	setKey     = regexp.MustCompile(`--set ([a-z_.]+)=`)
)

// TestNames looks for the files, tests and configuration keys that the
// documentation names in code spans.
func TestNames(t *testing.T) {
	tests := map[string]bool{}
	for _, f := range files(t, "_test.go") {
		for _, m := range testFunc.FindAllStringSubmatch(read(t, f), -1) {
			tests[m[1]] = true
		}
	}
	keys, all := documentedKeys(t), files(t, "")
	for _, p := range pages(t) {
		for _, l := range p.lines {
			for _, m := range setKey.FindAllStringSubmatch(l.text, -1) {
				if strings.Contains(m[1], ".") && m[1] != "path.to.key" && keys != nil && !keys[m[1]] {
					t.Errorf("%s:%d: --set %s: docs/configuration.md has no such key", p.name, l.no, m[1])
				}
			}
			if l.fenced {
				continue
			}
			for _, code := range inlineCode.FindAllString(l.text, -1) {
				code = strings.Trim(code, "`")
				switch {
				case sourcePath.MatchString(code):
					// From the root, or from a folder that the text is about.
					if !slices.ContainsFunc(all, func(f string) bool { return strings.HasSuffix("/"+f, "/"+code) }) {
						t.Errorf("%s:%d: there is no %s", p.name, l.no, code)
					}
				case testName.MatchString(code) && !tests[code]:
					t.Errorf("%s:%d: there is no test %s", p.name, l.no, code)
				case configKey.MatchString(code) && path.Ext(code) != ".go" && keys != nil && !keys[code]:
					t.Errorf("%s:%d: docs/configuration.md has no key %s", p.name, l.no, code)
				}
			}
		}
	}
}

var keyRow = regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\|")

// documentedKeys are the keys of the reference, and the groups they are in; nil
// if there is no reference.
func documentedKeys(t *testing.T) map[string]bool {
	if _, err := os.Stat("configuration.md"); err != nil {
		return nil // TestLinks says so
	}
	keys := map[string]bool{}
	for _, m := range keyRow.FindAllStringSubmatch(read(t, "docs/configuration.md"), -1) {
		for k := m[1]; k != "."; k = strings.TrimSuffix(path.Dir(strings.ReplaceAll(k, ".", "/")), "/") {
			keys[strings.ReplaceAll(k, "/", ".")] = true
		}
	}
	return keys
}

// TestYAML parses every YAML example. The Collector's are held against its own
// components in integration/otlpclients.
func TestYAML(t *testing.T) {
	examples := 0
	for _, p := range pages(t) {
		var text strings.Builder
		from := 0
		for _, l := range append(p.lines, line{}) {
			switch {
			case l.lang == "yaml" && !strings.HasPrefix(strings.TrimSpace(l.text), "```"):
				if from == 0 {
					from = l.no
				}
				text.WriteString(l.text + "\n")
			case from != 0:
				examples++
				var v map[string]any
				if err := yaml.Unmarshal([]byte(text.String()), &v); err != nil || len(v) == 0 {
					t.Errorf("%s:%d: example is no YAML: %v", p.name, from, err)
				}
				text.Reset()
				from = 0
			}
		}
	}
	if examples == 0 {
		t.Error("no examples found")
	}
}

// places are words that are true of one machine or one moment only.
var places = regexp.MustCompile(`(?:^|[\s(` + "`" + `"])/(?:work|root|home/\w+)/`)

// TestPlaces keeps the paths of whoever wrote a page out of it.
func TestPlaces(t *testing.T) {
	for _, p := range pages(t) {
		for _, l := range p.lines {
			if m := places.FindString(l.text); m != "" {
				t.Errorf("%s:%d: %q is a path of one machine", p.name, l.no, strings.TrimSpace(m))
			}
		}
	}
}
