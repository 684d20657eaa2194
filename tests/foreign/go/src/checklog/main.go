// Checklog verifies an exported audit log, or a dossier, with Go's own transparency
// log code: checklog FOLDER-OR-DOSSIER KEY [OLDER-CHECKPOINT]. It shares nothing
// with the product.
package main

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func open(path, key string) tlog.Tree {
	text, err := os.ReadFile(path)
	check(err)
	return opened(text, key)
}

func opened(text []byte, key string) tlog.Tree {
	verifier, err := note.NewVerifier(key)
	check(err)
	signed, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.SplitN(signed.Text, "\n", 4)
	if lines[0] != verifier.Name() {
		check(fmt.Errorf("another log: %s", lines[0]))
	}
	var tree tlog.Tree
	_, err = fmt.Sscan(lines[1], &tree.N)
	check(err)
	tree.Hash, err = tlog.ParseHash(lines[2])
	check(err)
	return tree
}

// Go's tile paths have the height in front: tile/8/L/N.
func pathOf(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

type reader struct{ folder string }

func (r reader) Height() int { return 8 }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(r.folder, pathOf(tile)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

// dossier checks the inclusion proof of each entry: C2SP tlog-proof, index, hashes,
// and the checkpoint after an empty line.
func dossier(data []byte, key string) {
	files := map[string][]byte{}
	archive := tar.NewReader(bytes.NewReader(data))
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		check(err)
		files[header.Name], err = io.ReadAll(archive)
		check(err)
	}
	entries := 0
	for name, body := range files {
		if !strings.HasSuffix(name, ".json") || !strings.HasPrefix(name, "entries/") {
			continue
		}
		text := string(files[strings.TrimSuffix(name, ".json")+".tlog-proof"])
		end := strings.Index(text, "\n\n")
		if end < 0 {
			check(fmt.Errorf("%s has no proof", name))
		}
		tree := opened([]byte(text[end+2:]), key)
		lines := strings.Split(text[:end], "\n")
		if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
			check(fmt.Errorf("%s has no proof", name))
		}
		var index int64
		_, err := fmt.Sscanf(lines[1], "index %d", &index)
		check(err)
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			hash, err := tlog.ParseHash(line)
			check(err)
			proof = append(proof, hash)
		}
		err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(body))
		if err != nil {
			check(fmt.Errorf("%s: %w", name, err))
		}
		entries++
	}
	tree := opened(files["checkpoint"], key)
	fmt.Println(entries, "of", tree.N, tree.Hash)
}

func main() {
	folder, key := os.Args[1], os.Args[2]
	if data, err := os.ReadFile(folder); err == nil {
		dossier(data, key)
		return
	}
	tree := open(filepath.Join(folder, "checkpoint"), key)
	hashes := tlog.TileHashReader(tree, reader{folder})
	index := int64(0)
	for number := int64(0); index < tree.N; number++ {
		width := tree.N - number*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: 0, N: number, W: int(width)}
		path := strings.Replace(pathOf(tile), "tile/0/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(folder, path))
		check(err)
		for ; width > 0; width-- {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				check(fmt.Errorf("bundle %d is too short at entry %d", number, index))
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			leaf := tlog.RecordHash(bundle[2:end])
			bundle = bundle[end:]
			proof, err := tlog.ProveRecord(tree.N, index, hashes)
			check(err)
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf)
			if err != nil {
				check(fmt.Errorf("entry %d: %w", index, err))
			}
			index++
		}
		if len(bundle) != 0 {
			check(fmt.Errorf("bundle %d has octets after its entries", number))
		}
	}
	if len(os.Args) > 3 {
		older := open(os.Args[3], key)
		proof, err := tlog.ProveTree(tree.N, older.N, hashes)
		check(err)
		check(tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash))
	}
	fmt.Println(tree.N, tree.Hash)
}
