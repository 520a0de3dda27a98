package main

import (
	"net/url"
	"strconv"
	"time"
)

// everything is a search depth that no number of traces reaches.
const everything = 1_000_000

// onLibrary asks one question of the library.
func (l *lab) onLibrary(make func(*library) question) (measured, error) {
	b, err := l.library()
	if err != nil {
		return measured{}, err
	}
	return l.ask(b, make(b))
}

func traceByIDJaeger(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question { return b.byIDJaeger(true) })
}

func traceByIDTempo(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question { return b.byIDTempo(true) })
}

func unknownIDJaeger(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question { return b.byIDJaeger(false) })
}

func unknownIDTempo(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question { return b.byIDTempo(false) })
}

// busy are operations with far more than 20 traces.
var busy = [][2]string{
	{"catalog", "shop.v1.Catalog/GetProduct"}, {"storefront", "GET /p/{id}"}, {"reviews", "SELECT reviews"},
	{"edge", "GET /cart"}, {"checkout", "order.Prepare"}, {"search", "QueryParser.parse"},
}

// failing are services whose HTTP servers answer 500 now and then.
var failing = []string{"storefront", "edge", "search", "reviews", "profile", "media"}

func searchOperation(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		return b.summaries(20, 20, 20, func(n int, v url.Values) {
			v.Set("query.serviceName", busy[n%len(busy)][0])
			v.Set("query.operationName", busy[n%len(busy)][1])
		})
	})
}

func searchRareTag(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		users := b.truth.rareUsers()
		return b.summaries(20, 1, 3, func(n int, v url.Values) { tags(v, "user.id", users[n*31%len(users)]) })
	})
}

func searchDuration(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		services := []string{"storefront", "checkout", "payment", "catalog", "identity"}
		return b.summaries(20, 1, 20, func(n int, v url.Values) {
			s := services[n%len(services)]
			v.Set("query.serviceName", s)
			// A third of the longest span: few spans are so long.
			v.Set("query.durationMin", (b.truth.longest[s] / 3).Round(time.Microsecond).String())
		})
	})
}

func searchError(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		return b.summaries(20, 1, 20, func(n int, v url.Values) {
			if n%2 == 1 {
				v.Set("query.serviceName", failing[n/2%len(failing)])
			}
			tags(v, "error", "true")
		})
	})
}

func searchStatus500(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		return b.summaries(20, 1, 20, func(n int, v url.Values) {
			v.Set("query.serviceName", "storefront")
			if n%2 == 1 {
				v.Set("query.serviceName", "search")
			}
			tags(v, "http.response.status_code", "500")
		})
	})
}

func searchNoTag(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		return b.summaries(20, 0, 0, func(n int, v url.Values) { tags(v, "user.id", "u0nobody"+strconv.Itoa(n)) })
	})
}

func searchNoDuration(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		return b.summaries(20, 0, 0, func(n int, v url.Values) {
			s := failing[n%len(failing)]
			v.Set("query.serviceName", s)
			v.Set("query.durationMin", (b.truth.longest[s] + time.Duration(n+1)*time.Millisecond).Round(time.Microsecond).String())
		})
	})
}

func searchAllOperation(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		return b.summaries(everything, 1, -1, func(n int, v url.Values) {
			v.Set("query.serviceName", "billing")
			v.Set("query.operationName", "Reconcile.run")
		})
	})
}

func searchAllStatus500(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		return b.summaries(everything, 1, -1, func(n int, v url.Values) {
			v.Set("query.serviceName", failing[n%2*2])
			tags(v, "http.response.status_code", "500")
		})
	})
}

func wholeTraces(l *lab) (measured, error) {
	return l.onLibrary(func(b *library) question {
		return question{
			door: doorJaeger,
			path: func(n int) string {
				v := url.Values{}
				v.Set("service", busy[n%len(busy)][0])
				v.Set("operation", busy[n%len(busy)][1])
				v.Set("limit", "20")
				v.Set("start", strconv.FormatInt(b.from.UnixMicro(), 10))
				v.Set("end", strconv.FormatInt(b.to.UnixMicro(), 10))
				return "/api/traces?" + v.Encode()
			},
			check: func(_ int, body []byte, err error) (int, error) {
				if err != nil {
					return 0, err
				}
				counts, err := countJaegerSpans(body)
				return len(counts), err
			},
		}
	})
}
