package jaegerui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
)

// The marks that Jaeger's server replaces in the page.
var (
	configMark  = regexp.MustCompile(`JAEGER_CONFIG *= *DEFAULT_CONFIG;`)
	scriptMark  = regexp.MustCompile(`(?m)^\s*// JAEGER_CONFIG_JS.*\n.*\n`)
	versionMark = regexp.MustCompile(`JAEGER_VERSION *= *DEFAULT_VERSION;`)
	backendMark = regexp.MustCompile(`JAEGER_(BACKEND|STORAGE)_CAPABILITIES *= *DEFAULT_(?:BACKEND|STORAGE)_CAPABILITIES;`)
	baseMark    = regexp.MustCompile(`<base +href="/" +data-inject-target="BASE_URL" */?>`)
)

// defaultConfig hides what Clew does not answer.
const defaultConfig = `{"archiveEnabled":false,"dependencies":{"menuEnabled":false},"monitor":{"menuEnabled":false}}`

// capabilities are what the backend can do, as the UI asks.
const capabilities = `{"archiveStorage":false,"metricsStorage":false,"searchWithoutServiceName":true,"aiAssistant":false}`

// page is the UI's page with everything in it but its base.
type page struct{ html []byte }

// newPage puts configuration and version into a page. file is the name of the
// configuration, config its content; an empty name means none.
func newPage(index []byte, file string, config []byte, version string) (*page, error) {
	if !configMark.Match(index) && !scriptMark.Match(index) && !versionMark.Match(index) {
		return nil, errors.New("ui.path: index.html has none of the marks of the Jaeger UI: is it a build of packages/jaeger-ui?")
	}
	replace := func(mark *regexp.Regexp, with string) {
		index = mark.ReplaceAllFunc(index, func([]byte) []byte { return []byte(with) })
	}
	switch ext := filepath.Ext(file); {
	case file == "":
		replace(configMark, "JAEGER_CONFIG = "+defaultConfig+";")
	case ext == ".json":
		object, err := scriptJSON(config)
		if err != nil {
			return nil, fmt.Errorf("ui.config_file: %s: %w", file, err)
		}
		replace(configMark, "JAEGER_CONFIG = "+object+";")
	case ext == ".js":
		if !bytes.Contains(config, []byte("UIConfig")) {
			return nil, fmt.Errorf("ui.config_file: %s defines no function UIConfig", file)
		}
		if bytes.Contains(bytes.ToLower(config), []byte("</script")) {
			return nil, fmt.Errorf("ui.config_file: %s contains </script>, which would end it", file)
		}
		replace(scriptMark, string(config)+"\n")
	default:
		return nil, fmt.Errorf("ui.config_file: %s is neither .json nor .js", file)
	}
	// Kiali reads the version from the page, up to the semicolon.
	v, err := json.Marshal(map[string]string{"gitCommit": "", "gitVersion": version, "buildDate": ""})
	if err != nil {
		return nil, err
	}
	replace(versionMark, "JAEGER_VERSION = "+string(v)+";")
	index = backendMark.ReplaceAll(index, []byte("JAEGER_${1}_CAPABILITIES = "+capabilities+";"))
	return &page{index}, nil
}

// scriptJSON returns a JSON object in a form that may stand within a script.
func scriptJSON(b []byte) (string, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(b, &object); err != nil {
		return "", fmt.Errorf("want a JSON object: %w", err)
	}
	var out bytes.Buffer
	json.HTMLEscape(&out, b)
	return out.String(), nil
}

// at is the page for one place: builds of old have their base in a tag, those of
// today find it themselves.
func (p *page) at(href string) []byte {
	tag := []byte(`<base href="` + html.EscapeString(href) + `" />`)
	return baseMark.ReplaceAllFunc(p.html, func([]byte) []byte { return tag })
}
