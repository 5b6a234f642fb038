package transport

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// swallow takes what a decoder finds.
type swallow struct{ messages int }

func (*swallow) limit() int64     { return 16 << 20 }
func (*swallow) fragments() int   { return 0 }
func (s *swallow) message([]byte) { s.messages++ }
func (*swallow) ping([]byte)      {}

// BenchmarkDecode decodes messages that are not fragmented, as a poller reads them.
func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{200, 1 << 20} {
		for name, letter := range map[string]string{"ascii": "a", "greek": "κ"} {
			b.Run(fmt.Sprintf("%d/%s", size, name), func(b *testing.B) {
				stream := masked(text, []byte(strings.Repeat(letter, size/len(letter))))
				b.SetBytes(int64(len(stream)))
				b.ReportAllocs()
				var d decoder
				var to swallow
				for b.Loop() {
					for piece := range slices.Chunk(stream, readBuffer) {
						if err := d.feed(piece, &to); err != nil {
							b.Fatal(err)
						}
					}
				}
				if to.messages == 0 {
					b.Fatal("no message")
				}
			})
		}
	}
}
