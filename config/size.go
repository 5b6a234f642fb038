package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Size is a number of bytes.
type Size int64

// The units in which a Size is written.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

// String returns the size in the largest unit that divides it, such as 64KiB;
// 1000 bytes are 1000 and nothing is 0.
func (s Size) String() string {
	switch {
	case s == 0:
		return "0"
	case s%GiB == 0:
		return strconv.FormatInt(int64(s/GiB), 10) + "GiB"
	case s%MiB == 0:
		return strconv.FormatInt(int64(s/MiB), 10) + "MiB"
	case s%KiB == 0:
		return strconv.FormatInt(int64(s/KiB), 10) + "KiB"
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText returns what String returns.
func (s Size) MarshalText() ([]byte, error) {
	return []byte(s.String()), nil
}

// UnmarshalText reads a whole number of bytes, or one followed by KiB, MiB or
// GiB, with or without a space between.
func (s *Size) UnmarshalText(text []byte) error {
	size, err := parseSize(string(text))
	if err != nil {
		return err
	}
	*s = size
	return nil
}

func parseSize(text string) (Size, error) {
	notSize := fmt.Errorf("%s is not a size such as 65536, 64KiB or 1MiB", quote(text))
	digits := text
	if i := strings.IndexFunc(text, unicode.IsLetter); i >= 0 {
		digits = text[:i]
	}
	if digits == "" {
		return 0, notSize
	}
	unit, ok := sizeUnit(text[len(digits):])
	if !ok {
		return 0, fmt.Errorf("%s has an unknown unit, use KiB, MiB or GiB", quote(text))
	}
	if unit > 1 {
		digits = strings.TrimSuffix(digits, " ")
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s is out of range", quote(text))
	}
	if err != nil || strconv.FormatInt(number, 10) != digits {
		return 0, notSize
	}
	size := Size(number) * unit
	if size/unit != Size(number) {
		return 0, fmt.Errorf("%s is out of range", quote(text))
	}
	return size, nil
}

func sizeUnit(text string) (unit Size, ok bool) {
	switch text {
	case "":
		return 1, true
	case "KiB":
		return KiB, true
	case "MiB":
		return MiB, true
	case "GiB":
		return GiB, true
	}
	return 0, false
}
