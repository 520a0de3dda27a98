package integration

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/clewtrace/clew/"

// TestImportDirection holds the house to cmd → services → storage: storage
// imports no service, and a service no other service's root package.
func TestImportDirection(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	services := map[string]bool{"gateway": true, "distributor": true, "ingester": true, "querier": true, "frontend": true, "compactor": true}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) < 10 {
		t.Fatalf("go list names only %d packages", len(lines))
	}
	for _, line := range lines {
		pkg, imports, _ := strings.Cut(line, ": ")
		pkg = strings.TrimPrefix(pkg, module)
		room, _, _ := strings.Cut(pkg, "/")
		for _, imp := range strings.Fields(imports) {
			imp, ours := strings.CutPrefix(imp, module)
			if !ours {
				continue
			}
			other, leaf, isLeaf := strings.Cut(imp, "/")
			switch {
			case room == "cmd" || room == "integration":
			case other == "cmd":
				t.Errorf("%s imports %s: nothing imports cmd", pkg, imp)
			case room == "storage" && other != "storage":
				t.Errorf("%s imports %s: storage knows no service", pkg, imp)
			case services[room] && services[other] && room != other && !isLeaf:
				t.Errorf("%s imports %s: services meet through interfaces, not through each other's root packages (leaf %q is allowed)", pkg, imp, leaf)
			}
		}
	}
}
