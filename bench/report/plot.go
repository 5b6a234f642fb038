package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"strowger/bench/workload"
)

// The plot's size and the frame around its area, in pixels.
const (
	plotWidth, plotHeight       = 720, 400
	plotLeft, plotRight         = 60, 130
	plotTop, plotBottom         = 40, 50
	plotAreaWidth, plotAreaHigh = plotWidth - plotLeft - plotRight, plotHeight - plotTop - plotBottom
)

// line is one server's points, by rising x.
type line struct {
	title, colour string
	points        []point
}

type point struct {
	x float64
	y Spread
}

// colours keep their server in every plot.
func colours() map[string]string {
	return map[string]string{"strowger": "#c0392b", "hub": "#7f8c8d", "centrifuge": "#2980b9", "nats": "#27ae60", "php": "#8e44ad", "floor": "#2c3e50"}
}

// Plot draws a curve as SVG, both axes logarithmic, medians with a bar from the least to the most. It
// returns false, and writes nothing, if nothing of the curve was measured.
func (r *Result) Plot(w io.Writer, c workload.Curve) (bool, error) {
	lines := r.lines(c)
	if len(lines) == 0 {
		return false, nil
	}
	xs, ys := ranges(lines)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<text x="%d" y="24" font-size="15">%s</text>`+"\n", plotLeft, c.Title)
	for _, x := range xs.ticks() {
		at := plotLeft + xs.at(x)*plotAreaWidth
		fmt.Fprintf(&b, `<path d="M%.1f %dv%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%g</text>`+"\n",
			at, plotTop, plotAreaHigh, at, plotTop+plotAreaHigh+18, x)
	}
	for _, y := range ys.ticks() {
		at := plotTop + (1-ys.at(y))*plotAreaHigh
		fmt.Fprintf(&b, `<path d="M%d %.1fh%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			plotLeft, at, plotAreaWidth, plotLeft-6, at+4, y)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", plotLeft+plotAreaWidth/2, plotHeight-12, c.X)
	for i, l := range lines {
		l.draw(&b, xs, ys, plotTop+14+20*i)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return true, err
}

func (r *Result) lines(c workload.Curve) []line {
	var lines []line
	index := make(map[string]int)
	for i := range r.Series {
		s := &r.Series[i]
		y, ok := s.Figure(c.Y)
		if s.Curve != c.Name || !ok || y.Min <= 0 {
			continue // a logarithm needs something
		}
		at, known := index[s.Server]
		if !known {
			at = len(lines)
			index[s.Server] = at
			lines = append(lines, line{title: s.ServerTitle, colour: colours()[s.Server]})
		}
		lines[at].points = append(lines[at].points, point{x: s.X, y: y})
	}
	for _, l := range lines {
		slices.SortFunc(l.points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	}
	return lines
}

func (l line) draw(b *strings.Builder, xs, ys axis, legend int) {
	path := ""
	for i, p := range l.points {
		x := plotLeft + xs.at(p.x)*plotAreaWidth
		y := func(value float64) float64 { return plotTop + (1-ys.at(value))*plotAreaHigh }
		command := "L"
		if i == 0 {
			command = "M"
		}
		path += fmt.Sprintf("%s%.1f %.1f", command, x, y(p.y.Median))
		fmt.Fprintf(b, `<path d="M%.1f %.1fV%.1f" stroke="%s" stroke-width="1.5"/><circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n",
			x, y(p.y.Min), y(p.y.Max), l.colour, x, y(p.y.Median), l.colour)
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", path, l.colour)
	at := plotWidth - plotRight + 12
	fmt.Fprintf(b, `<path d="M%d %dh18" stroke="%s" stroke-width="3"/><text x="%d" y="%d">%s</text>`+"\n",
		at, legend-4, l.colour, at+24, legend, l.title)
}

// axis is a logarithmic one from lo to hi.
type axis struct{ lo, hi float64 }

// at is where a value is, from 0 to 1.
func (a axis) at(value float64) float64 { return math.Log(value/a.lo) / math.Log(a.hi/a.lo) }

// ticks are 1, 2 and 5 in each decade, or only 1 where that would be many.
func (a axis) ticks() []float64 {
	steps := []float64{1, 2, 5}
	if a.hi/a.lo > 1000 {
		steps = steps[:1]
	}
	var list []float64
	for exponent := math.Floor(math.Log10(a.lo)); exponent <= math.Log10(a.hi); exponent++ {
		for _, step := range steps {
			// Rounded, since powers of ten below one are not exact.
			value := math.Round(step*math.Pow(10, exponent)*1e6) / 1e6
			if value >= a.lo && value <= a.hi {
				list = append(list, value)
			}
		}
	}
	return list
}

// ranges fit all points, with some air around.
func ranges(lines []line) (xs, ys axis) {
	xs, ys = axis{lo: math.Inf(1)}, axis{lo: math.Inf(1)}
	for _, l := range lines {
		for _, p := range l.points {
			xs.lo, xs.hi = min(xs.lo, p.x), max(xs.hi, p.x)
			ys.lo, ys.hi = min(ys.lo, p.y.Min), max(ys.hi, p.y.Max)
		}
	}
	return axis{xs.lo / 1.2, xs.hi * 1.2}, axis{ys.lo / 1.3, ys.hi * 1.3}
}
