package setting

import "testing"

func TestParseBytes(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Bytes // -1: refused
		out  string
	}{
		{"0", 0, "0"}, {"1", 1, "1"}, {"1048576", 1 << 20, "1MiB"}, {"1048577", 1<<20 + 1, "1048577"}, {"017", 17, "17"},
		{"200MiB", 200 << 20, "200MiB"}, {"200 MiB", 200 << 20, "200MiB"}, {"200mib", 200 << 20, "200MiB"}, {"200Mi", 200 << 20, "200MiB"},
		{"1GB", 1e9, "1000000000"}, {"1gb", 1e9, "1000000000"}, {"64kB", 64000, "64000"}, {"512B", 512, "512"}, {"1.5GiB", 3 << 29, "1536MiB"}, {"2TiB", 2 << 40, "2TiB"},
		{"0.5KiB", 512, "512"}, {"8388607TiB", 8388607 << 40, "8388607TiB"},
		{"", -1, ""}, {"-1", -1, ""}, {"1K", -1, ""}, {"1M", -1, ""}, {"1G", -1, ""}, {"MiB", -1, ""}, {"1.5", -1, ""}, {"0.3KiB", -1, ""}, {"1e6", -1, ""}, {"1/2KiB", -1, ""},
		{"1_000", -1, ""}, {"0x10", -1, ""}, {"1.2.3MiB", -1, ""}, {".", -1, ""}, {" 1", -1, ""}, {"1  MiB", -1, ""}, {"1MiB ", -1, ""}, {"8388608TiB", -1, ""}, {"9223372036854775808", -1, ""},
		{"5m", -1, ""}, {"1MiBps", -1, ""}, {"١MiB", -1, ""},
	} {
		got, err := ParseBytes(c.in)
		if c.want < 0 {
			if err == nil {
				t.Errorf("%q: accepted as %d", c.in, int64(got))
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%q: %d, %v; want %d", c.in, int64(got), err, int64(c.want))
		}
		if got.String() != c.out {
			t.Errorf("%q: printed as %s, want %s", c.in, got, c.out)
		}
	}
}

// FuzzParseBytes checks that what is accepted is printed so that it is read as
// the same.
func FuzzParseBytes(f *testing.F) {
	for _, s := range []string{"0", "200MiB", "1.5 GB", "9223372036854775807", "1e9", "-1", "k"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBytes(s)
		if err != nil {
			return
		}
		again, err := ParseBytes(b.String())
		if b < 0 || err != nil || again != b {
			t.Errorf("%q is %d, printed as %s, read as %d, %v", s, int64(b), b, int64(again), err)
		}
	})
}
