package block

import (
	"bytes"
	"context"

	"github.com/clewtrace/clew/storage/columns"
)

// scanText adds the rows of in that hold text. The codes of a column are read
// only if its dictionary has the text.
func (r *groupReader) scanText(ctx context.Context, col int, text string, in, out bitmap) error {
	c := &r.rg.Chunks[col]
	if c.Nulls >= r.rg.Rows || !smallMayHold(c, text) {
		return nil
	}
	d, err := r.dict(ctx, col)
	if err != nil {
		return err
	}
	want := []byte(text)
	var set codeSet
	if d != nil {
		d.findBytes(want, func(i int) { set.add(i, d.n) })
		if set.n == 0 {
			return nil
		}
	}
	v, err := r.vector(ctx, col)
	if err != nil {
		return err
	}
	if d != nil {
		v.scanCodes(&set, in, out)
	} else {
		v.scanValues(func(i int) bool { return string(v.plain.bytes(i)) == text }, in, out)
	}
	return nil
}

// scanNumbers adds the rows of in whose number fits.
func (r *groupReader) scanNumbers(ctx context.Context, col int, fits func(bits uint64) bool, in, out bitmap) error {
	if r.rg.Chunks[col].Nulls >= r.rg.Rows {
		return nil
	}
	d, err := r.dict(ctx, col)
	if err != nil {
		return err
	}
	var set codeSet
	if d != nil {
		for i := range d.n {
			if fits(d.bits(i)) {
				set.add(i, d.n)
			}
		}
		if set.n == 0 {
			return nil
		}
	}
	v, err := r.vector(ctx, col)
	if err != nil {
		return err
	}
	if d != nil {
		v.scanCodes(&set, in, out)
	} else {
		v.scanValues(func(i int) bool { return fits(v.plain.bits(i)) }, in, out)
	}
	return nil
}

// cheap reports whether the tag speaks of fields only: a byte a row.
func (t *tagPlan) cheap() bool { return t.promoted == nil && t.rest == nil && !t.events }

// tag keeps those live rows for which the tag holds, whichever way.
func (s *searcher) tag(ctx context.Context, r *groupReader, p *plan, t *tagPlan) error {
	clear(s.hits)
	in := func(set map[int32]bool) func(uint64) bool {
		return func(v uint64) bool { return set[int32(v)] }
	}
	ways := []struct {
		is   bool
		scan func(left bitmap) error
	}{
		{t.resources != nil, func(left bitmap) error {
			return r.scanNumbers(ctx, p.f.resource, in(t.resources), left, s.hits)
		}},
		{t.scopes != nil, func(left bitmap) error {
			return r.scanNumbers(ctx, p.f.scope, in(t.scopes), left, s.hits)
		}},
		{t.m.Kind >= 0, func(left bitmap) error {
			return r.scanNumbers(ctx, p.f.kind, func(v uint64) bool { return int32(v) == t.m.Kind }, left, s.hits)
		}},
		{t.m.Status >= 0, func(left bitmap) error {
			return r.scanNumbers(ctx, p.f.status, func(v uint64) bool { return (int32(v) == t.m.Status) != t.m.StatusNot }, left, s.hits)
		}},
		{t.promoted != nil, func(left bitmap) error { return s.promoted(ctx, r, t, left) }},
		{t.m.StatusText, func(left bitmap) error {
			return r.scanText(ctx, p.f.statusMessage, t.m.Text, left, s.hits)
		}},
		{t.rest != nil, func(left bitmap) error { return s.rest(ctx, r, p, t, left) }},
		{t.events, func(left bitmap) error { return s.events(ctx, r, p, t, left) }},
	}
	for _, w := range ways {
		if !w.is {
			continue
		}
		some := uint64(0)
		for i := range s.left {
			s.left[i] = s.live[i] &^ s.hits[i]
			some |= s.left[i]
		}
		if some == 0 {
			break
		}
		if err := w.scan(s.left); err != nil {
			return err
		}
	}
	s.live, s.hits = s.hits, s.live
	return nil
}

func (s *searcher) promoted(ctx context.Context, r *groupReader, t *tagPlan, left bitmap) error {
	for _, col := range t.promoted {
		var err error
		if typ := r.x.Columns[col].Type; typ == columns.String {
			err = r.scanText(ctx, col, t.m.Text, left, s.hits)
		} else {
			err = r.scanNumbers(ctx, col, func(bits uint64) bool { return t.m.Value(typ, bits, nil) }, left, s.hits)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rest looks into attrs_rest of the rows whose shape has the key there.
func (s *searcher) rest(ctx context.Context, r *groupReader, p *plan, t *tagPlan, left bitmap) error {
	some := false
	for _, sh := range r.rg.Shapes {
		some = some || t.rest[int32(sh)] != nil
	}
	if !some {
		return nil
	}
	rows := newBitmap(int(r.rg.Rows))
	if err := r.scanNumbers(ctx, p.f.shape, func(v uint64) bool { return t.rest[int32(v)] != nil }, left, rows); err != nil || !rows.any() {
		return err
	}
	shapes, err := r.vector(ctx, p.f.shape)
	if err != nil {
		return err
	}
	vals, err := r.vector(ctx, p.f.rest)
	if err != nil {
		return err
	}
	for row := range rows.each {
		i, _ := shapes.index(row)
		shape := int32(shapes.number(i))
		var raw []byte
		if k, ok := vals.index(row); ok {
			raw = vals.bytes(k)
		}
		hit, ok := restHas(t.m, r.x.Tables.Shapes[shape].Attrs, t.rest[shape], raw)
		if !ok {
			return r.placed(p.f.rest, corruptf("row %d: values do not fit the shape", row))
		}
		if hit {
			s.hits.set(row)
		}
	}
	return nil
}

// restHas reports whether one of the entries at the given places matches.
func restHas(m *columns.TagMatcher, attrs []ShapeAttr, places []restPlace, raw []byte) (hit, ok bool) {
	at := restPlace(0)
	for _, a := range attrs {
		if a.Column >= 0 {
			continue
		}
		bits, val, next, ok := NextRestValue(raw, a.Type)
		if !ok {
			return false, false
		}
		if at == places[0] {
			if m.Value(a.Type, bits, val) {
				return true, true
			}
			if places = places[1:]; len(places) == 0 {
				return false, true
			}
		}
		raw = next
		at++
	}
	return false, true
}

// events walks the events of the rows that have some.
func (s *searcher) events(ctx context.Context, r *groupReader, p *plan, t *tagPlan, left bitmap) error {
	if r.rg.Chunks[p.f.events].Nulls >= r.rg.Rows {
		return nil
	}
	v, err := r.vector(ctx, p.f.events)
	if err != nil {
		return err
	}
	// The bytes of the key stand in the wire form of whatever has it: searching
	// them is far cheaper than walking messages.
	key := []byte(t.m.Key)
	if v.dict == nil && !bytes.Contains(v.plain.data, key) {
		return nil
	}
	v.scanValues(func(i int) bool {
		b := v.bytes(i)
		return bytes.Contains(b, key) && t.m.Events(b)
	}, left, s.hits)
	return nil
}
