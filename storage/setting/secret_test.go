package setting

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestSecretStaysSecret prints a secret in every way and looks for it.
func TestSecretStaysSecret(t *testing.T) {
	const plain = "hunter2"
	s := Secret(plain)
	within := struct {
		Token   Secret            `yaml:"token"`
		Headers map[string]Secret `yaml:"headers"`
		List    []Secret
	}{s, map[string]Secret{"authorization": s}, []Secret{s}}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("secret", "it", s, "within", within, "pointer", &within, "group", slog.GroupValue(slog.Any("s", s)))
	}
	j, err := json.Marshal(within)
	y, yerr := yaml.Marshal(within)
	if err := errors.Join(err, yerr); err != nil {
		t.Fatal(err)
	}
	printed := []string{log.String(), string(j), string(y), fmt.Sprint(s), fmt.Sprint(within, &within, &s), fmt.Errorf("bad %v", s).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%T %[1]v"} {
		printed = append(printed, fmt.Sprintf(verb, s), fmt.Sprintf(verb, within), fmt.Sprintf(verb, &within))
	}
	for _, p := range printed {
		if strings.Contains(p, plain) || strings.Contains(strings.ToLower(p), fmt.Sprintf("%x", plain)) {
			t.Errorf("printed: %s", p)
		}
	}
	if got := fmt.Sprintf("%v %q %#v", s, s, s); got != `<hidden> "<hidden>" "<hidden>"` {
		t.Errorf("got %s", got)
	}
	if got := fmt.Sprintf("%s|%q", Secret(""), Secret("")); got != `|""` {
		t.Errorf("empty: %s", got)
	}
	if string(s) != plain {
		t.Error("a conversion must give the secret")
	}
}
