module github.com/twmb/murmur3

go 1.26.0
