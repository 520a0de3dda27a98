package jaegerapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clewtrace/clew/frontend"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// request is a search as a client asks for it.
type request struct {
	query storage.Query
	limit int
	ids   []trace.ID
	form
}

// form is how traces are rendered.
type form struct{ raw, pretty bool }

const (
	defaultLimit    = 100
	defaultLookback = 48 * time.Hour
)

// traceID reads an ID of 1 to 32 hexadecimal digits, or one in base64, which
// Jaeger accepts too.
func traceID(param, s string) (trace.ID, error) {
	id, err := trace.ParseID(s)
	if err == nil {
		return id, nil
	}
	if len(s) <= 24 {
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
			if b, decErr := enc.DecodeString(s); decErr == nil {
				if id, ok := trace.IDFromBytes(b); ok {
					return id, nil
				}
			}
		}
	}
	return id, frontend.BadParam(param, "%s", err)
}

// limit reads how many traces are wanted: 0 is the default, and more than the
// server gives is as many as it gives.
func limit(v url.Values, name string, cfg frontend.Config) (int, error) {
	s := v.Get(name)
	if s == "" || s == "0" {
		return min(defaultLimit, cfg.MaxResults), nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, frontend.BadParam(name, "%.40q: want a whole number, at most %d count (frontend.max_results)", s, cfg.MaxResults)
	}
	return min(n, cfg.MaxResults), nil
}

func boolean(v url.Values, name string) (bool, error) {
	s := v.Get(name)
	if s == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, frontend.BadParam(name, "%.40q: want true or false", s)
	}
	return b, nil
}

func formOf(v url.Values) (f form, err error) {
	if f.raw, err = boolean(v, "raw"); err != nil {
		return f, err
	}
	f.pretty, err = boolean(v, "prettyPrint")
	return f, err
}

func duration(v url.Values, name string) (time.Duration, error) {
	s := v.Get(name)
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, frontend.BadParam(name, "%.40q: want a duration such as 1.2s, 100ms or 500us", s)
	}
	return d, nil
}

func durations(v url.Values, minName, maxName string) (lo, hi time.Duration, err error) {
	if lo, err = duration(v, minName); err != nil {
		return 0, 0, err
	}
	if hi, err = duration(v, maxName); err != nil {
		return 0, 0, err
	}
	if hi != 0 && hi < lo {
		return 0, 0, frontend.BadParam(maxName, "%s is less than %s, which is %s", hi, minName, lo)
	}
	return lo, hi, nil
}

// tagsFromJSON reads an object of strings; numbers and booleans count as their
// text.
func tagsFromJSON(name, s string) ([]storage.Tag, error) {
	bad := frontend.BadParam(name, `%.100q: want a JSON object of strings, such as {"http.method":"GET"}`, s)
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader([]byte(s)))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil || dec.More() {
		return nil, bad
	}
	tags := make([]storage.Tag, 0, len(m))
	for k, x := range m {
		switch x.(type) {
		case string, bool, json.Number:
			tags = append(tags, storage.Tag{Key: k, Value: fmt.Sprint(x)})
		default:
			return nil, bad
		}
	}
	slices.SortFunc(tags, func(a, b storage.Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags, nil
}

// micros reads a time in microseconds since 1970; set is false if it is absent.
func micros(v url.Values, name string) (nanos uint64, set bool, err error) {
	s := v.Get(name)
	if s == "" {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n >= 1<<63/1000 {
		return 0, false, frontend.BadParam(name, "%.40q: want microseconds since 1970", s)
	}
	return uint64(n) * 1000, true, nil
}

// byID reads the parameters of /api/traces/{id}. start and end are hints, which
// the answer does not need.
func byID(r *http.Request) (id trace.ID, f form, err error) {
	v := r.URL.Query()
	if id, err = traceID("traceID", r.PathValue("id")); err != nil {
		return id, f, err
	}
	for _, name := range []string{"start", "end"} {
		if _, _, err = micros(v, name); err != nil {
			return id, f, err
		}
	}
	f, err = formOf(v)
	return id, f, err
}

// legacyRequest reads the parameters of /api/traces. Times are inclusive:
// the microsecond that end names counts.
func legacyRequest(v url.Values, cfg frontend.Config, now time.Time) (r request, err error) {
	if r.limit, err = limit(v, "limit", cfg); err != nil {
		return r, err
	}
	if r.ids, err = traceIDs(v["traceID"], cfg); err != nil {
		return r, err
	}
	if r.form, err = formOf(v); err != nil {
		return r, err
	}
	q := &r.query
	q.Service, q.Operation = v.Get("service"), v.Get("operation")
	if q.MinDuration, q.MaxDuration, err = durations(v, "minDuration", "maxDuration"); err != nil {
		return r, err
	}
	if q.Tags, err = tags(v); err != nil {
		return r, err
	}
	end, set, err := micros(v, "end")
	if err != nil {
		return r, err
	}
	if !set {
		end = uint64(max(now.UnixNano(), 0)) / 1000 * 1000
	}
	q.End = end + 1000
	start, set, err := micros(v, "start")
	if err != nil {
		return r, err
	}
	if !set {
		back, err := lookback(v.Get("lookback"))
		if err != nil {
			return r, err
		}
		start = end - min(uint64(back), end)
	}
	q.Start = start
	if start > end {
		return r, frontend.BadParam("start", "is after end")
	}
	return r, nil
}

// traceIDs reads IDs, each once.
func traceIDs(list []string, cfg frontend.Config) (ids []trace.ID, err error) {
	if len(list) > cfg.MaxTraceIDs {
		return nil, frontend.BadParam("traceID", "%d IDs, at most %d are accepted (frontend.max_trace_ids)", len(list), cfg.MaxTraceIDs)
	}
	for _, s := range list {
		id, err := traceID("traceID", s)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func tags(v url.Values) (all []storage.Tag, err error) {
	for _, s := range v["tag"] {
		key, value, ok := strings.Cut(s, ":")
		if !ok || key == "" {
			return nil, frontend.BadParam("tag", "%.100q: want key:value", s)
		}
		all = append(all, storage.Tag{Key: key, Value: value})
	}
	for _, s := range v["tags"] {
		if s == "" {
			continue
		}
		more, err := tagsFromJSON("tags", s)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// lookback reads how far back a search without a start goes: a duration that
// may be in days or weeks, as Jaeger's UI writes it.
func lookback(s string) (time.Duration, error) {
	if s == "" || s == "custom" {
		return defaultLookback, nil
	}
	bad := frontend.BadParam("lookback", "%.40q: want a duration such as 1h or 2d", s)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseUint(digits, 10, 12)
			if err != nil {
				return 0, bad
			}
			return time.Duration(n) * length, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, bad
	}
	return d, nil
}

// v3Param is a parameter of the v3 API in the spelling of today, else of old.
func v3Param(v url.Values, camel, snake string) (name, value string) {
	if s := v.Get(camel); s != "" {
		return camel, s
	}
	if s := v.Get(snake); s != "" {
		return snake, s
	}
	return camel, ""
}

// v3Time reads a time; set is false if it is absent.
func v3Time(v url.Values, camel, snake string) (nanos uint64, set bool, err error) {
	name, s := v3Param(v, camel, snake)
	if s == "" {
		return 0, false, nil
	}
	// The plus of a zone that was not escaped arrives as a space.
	t, err := time.Parse(time.RFC3339Nano, strings.ReplaceAll(s, " ", "+"))
	if err != nil || t.Year() > 2261 {
		return 0, false, frontend.BadParam(name, "%.60q: want a time such as 2026-01-02T15:04:05.678Z", s)
	}
	if t.Unix() < 0 {
		return 0, true, nil
	}
	return uint64(t.UnixNano()), true, nil
}

// v3ByID reads the parameters of /api/v3/traces/{id}; times are hints.
func v3ByID(r *http.Request) (id trace.ID, raw bool, err error) {
	v := r.URL.Query()
	if id, err = traceID("trace_id", r.PathValue("id")); err != nil {
		return id, false, err
	}
	if _, _, err = v3Time(v, "startTime", "start_time"); err != nil {
		return id, false, err
	}
	if _, _, err = v3Time(v, "endTime", "end_time"); err != nil {
		return id, false, err
	}
	name, _ := v3Param(v, "rawTraces", "raw_traces")
	raw, err = boolean(v, name)
	return id, raw, err
}

// v3Request reads the parameters of a v3 search. The last time is inclusive,
// and clients cut it to milliseconds, so its millisecond counts.
func v3Request(v url.Values, cfg frontend.Config) (r request, err error) {
	q := &r.query
	_, q.Service = v3Param(v, "query.serviceName", "query.service_name")
	_, q.Operation = v3Param(v, "query.operationName", "query.operation_name")
	var from, to bool
	if q.Start, from, err = v3Time(v, "query.startTimeMin", "query.start_time_min"); err != nil {
		return r, err
	}
	if q.End, to, err = v3Time(v, "query.startTimeMax", "query.start_time_max"); err != nil {
		return r, err
	}
	switch {
	case !from:
		return r, frontend.BadParam("query.startTimeMin", "is required")
	case !to:
		return r, frontend.BadParam("query.startTimeMax", "is required")
	case q.End < q.Start:
		return r, frontend.BadParam("query.startTimeMax", "is before query.startTimeMin")
	}
	q.End += uint64(time.Millisecond)
	name, s := v3Param(v, "query.searchDepth", "query.search_depth")
	if s == "" {
		if v.Get("query.num_traces") != "" {
			name = "query.num_traces"
		}
	}
	if r.limit, err = limit(v, name, cfg); err != nil {
		return r, err
	}
	lo, _ := v3Param(v, "query.durationMin", "query.duration_min")
	hi, _ := v3Param(v, "query.durationMax", "query.duration_max")
	if q.MinDuration, q.MaxDuration, err = durations(v, lo, hi); err != nil {
		return r, err
	}
	if s := v.Get("query.attributes"); s != "" {
		if q.Tags, err = tagsFromJSON("query.attributes", s); err != nil {
			return r, err
		}
	}
	name, _ = v3Param(v, "query.rawTraces", "query.raw_traces")
	r.raw, err = boolean(v, name)
	return r, err
}
