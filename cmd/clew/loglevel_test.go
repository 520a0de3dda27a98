package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestLogLevel changes the level of a running process in every way, and finds a
// line for each change.
func TestLogLevel(t *testing.T) {
	c := testConfig(t)
	c.LogLevel = "error"
	out := runFor(t, c, func(addr map[string]string) {
		url := "http://" + addr["ports.tempo"] + "/log_level"
		if code, body := fetch(t, url); code != 200 || body != "{\"log_level\":\"error\"}\n" {
			t.Errorf("%d %s", code, body)
		}
		form := []string{"Content-Type", "application/x-www-form-urlencoded"}
		for _, s := range []struct {
			method, url, body string
			headers           []string
			want              string // empty: refused
		}{
			{"PUT", url, "debug", nil, "debug"},
			{"PUT", url, "info\n", form, "info"},
			{"POST", url, "log_level=warn", form, "warn"},
			{"POST", url + "?log_level=error", "", nil, "error"},
			{"PUT", url, `{"log_level":"info"}`, nil, "info"},
			{"PUT", url, "loud", nil, ""},
			{"PUT", url, "", nil, ""},
			{"PUT", url, "warn+2", nil, ""},
			{"PUT", url, `{"log_level":7}`, nil, ""},
			{"PUT", url, strings.Repeat("x", 2000), nil, ""},
			{"POST", url, "level=warn", form, ""},
			{"PUT", url, "debug", []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}, ""},
		} {
			code, body := send(t, s.method, s.url, s.body, s.headers...)
			if s.want == "" && code < 400 || s.want != "" && (code != 200 || body != "{\"log_level\":\""+s.want+"\"}\n") {
				t.Errorf("%+v: %d %s", s, code, body)
			}
		}
		if _, body := fetch(t, url); body != "{\"log_level\":\"info\"}\n" {
			t.Errorf("in the end: %s", body)
		}
		if code, _ := send(t, "DELETE", url, ""); code != 405 && code != 404 {
			t.Errorf("DELETE: %d", code)
		}
	})
	for _, want := range []string{"from=error to=debug", "from=debug to=info", "from=info to=warn", "from=warn to=error", "from=error to=info"} {
		if !regexp.MustCompile(`level=\w+ msg="log level changed" component=clew ` + want + ` client=127\.0\.0\.1:\d+`).MatchString(out) {
			t.Errorf("no line for %s in\n%s", want, out)
		}
	}
	if strings.Contains(out, "msg=started") || !strings.Contains(out, "msg=stopped") {
		t.Errorf("error at the start, info in the end:\n%s", out)
	}
}

// TestFlushFromElsewhere checks that no web page of another origin can flush.
func TestFlushFromElsewhere(t *testing.T) {
	c := testConfig(t)
	runFor(t, c, func(addr map[string]string) {
		url := "http://" + addr["ports.tempo"] + "/flush"
		if code, _ := send(t, "POST", url, "", "Origin", "http://evil.example"); code != 403 {
			t.Errorf("from another origin: %d", code)
		}
		if code, _ := send(t, "POST", url, "", "Origin", "http://"+addr["ports.tempo"], "Sec-Fetch-Site", "same-origin"); code != 200 {
			t.Errorf("from the same origin: %d", code)
		}
		if code, _ := fetch(t, url); code != 404 && code != 405 {
			t.Errorf("GET: %d", code)
		}
	})
}

// TestLogLines checks that every line of the log says which component it is of.
func TestLogLines(t *testing.T) {
	c := testConfig(t)
	c.LogLevel, c.SelfTracing.PushRatio = "debug", 1
	c.Distributor.MaxRequestBytes = 4 << 10
	out := runFor(t, c, func(addr map[string]string) {
		pushSpans(t, addr["ports.otlp_http"], "", 10)
		send(t, "POST", "http://"+addr["ports.tempo"]+"/flush", "")
		send(t, "POST", "http://"+addr["ports.otlp_http"]+"/v1/traces", strings.Repeat("x", 10<<10), "Content-Type", "application/x-protobuf")
	})
	components := map[string]int{}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "time=") {
			continue // the ports, for a person
		}
		m := regexp.MustCompile(` component=(\w+)`).FindAllStringSubmatch(line, -1)
		if len(m) != 1 {
			t.Errorf("%d components in %s", len(m), line)
			continue
		}
		components[m[0][1]]++
	}
	if components["clew"] < 3 || components["ingester"] < 2 {
		t.Errorf("lines by component: %v in\n%s", components, out)
	}
}
