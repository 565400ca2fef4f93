package main

import "testing"

// What a name has is counted in letters, not in bytes.
func TestAuthenticate(t *testing.T) {
	for name, want := range map[string]bool{
		"": false, "a": false, "al": true, "abcdefghijklmnop": true, "abcdefghijklmnopq": false,
		"李": false, "李白": true, "春眠不觉晓处处": true, "春眠不觉晓处处闻啼鸟夜来风雨声花": true, "春眠不觉晓处处闻啼鸟夜来风雨声花落": false,
		"a b": false, "ab\xff": false,
	} {
		if user, err := authenticate(nil, []byte(name)); (err == nil) != want || want && user != name {
			t.Errorf("%q: %q, %v", name, user, err)
		}
	}
}
