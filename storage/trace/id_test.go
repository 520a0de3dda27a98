package trace

import "testing"

func TestParseID(t *testing.T) {
	for _, tc := range []struct {
		in, want string
		bad      bool
	}{
		{in: "1", want: "00000000000000000000000000000001"},
		{in: "ABCDEF", want: "00000000000000000000000000abcdef"},
		{in: "0af7651916cd43dd8448eb211c80319c", want: "0af7651916cd43dd8448eb211c80319c"},
		{in: "", bad: true},
		{in: "0af7651916cd43dd8448eb211c80319c0", bad: true},
		{in: "xyz", bad: true},
		{in: "12 4", bad: true},
	} {
		got, err := ParseID(tc.in)
		if (err != nil) != tc.bad {
			t.Errorf("ParseID(%q): error %v, want error: %v", tc.in, err, tc.bad)
		}
		if err == nil && got.String() != tc.want {
			t.Errorf("ParseID(%q) = %s, want %s", tc.in, got, tc.want)
		}
	}
}

func TestIDFromBytes(t *testing.T) {
	if id, ok := IDFromBytes([]byte{1, 2, 3, 4, 5, 6, 7, 8}); !ok || id.String() != "00000000000000000102030405060708" {
		t.Errorf("8 bytes: got %s, %v", id, ok)
	}
	if _, ok := IDFromBytes(make([]byte, 16)); ok {
		t.Error("all-zero ID accepted")
	}
	if _, ok := IDFromBytes(make([]byte, 5)); ok {
		t.Error("5 bytes accepted")
	}
}
