package spark

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

const maxCheckpoints = 500 // below one prefix

// Folders lists and reads the store that holds checkpoints;
// internal/lakehouse/objectstore.Store does.
type Folders interface {
	lakespark.Files
	// Folders returns the names of the folders right below a folder.
	Folders(ctx context.Context, folder string) ([]string, error)
}

// prefixes looks for checkpoints below one folder, and in the folders in it:
// each that holds the file metadata and the folder offsets is one. What was
// found once is not read again.
type prefixes struct {
	store Folders
	known map[string]string // the query's id by the checkpoint's location
}

func checkpointSource(store Folders, prefix Prefix) *source {
	p := &prefixes{store: store, known: map[string]string{}}
	root := strings.TrimRight(prefix.URI, "/")
	return &source{
		kind: fromCheckpoints, target: root, every: everyCheckpoints,
		ask: func(ctx context.Context) (findings, error) {
			all, err := p.find(ctx, root)
			var f findings
			for _, c := range all {
				name := prefix.App
				if name == "" {
					name = path.Base(c.uri)
				}
				f.apps = append(f.apps, found{
					source: fromCheckpoints, ident: root, name: name, checkpoints: []checkpointAt{c},
				})
			}
			return f, err
		},
	}
}

func (p *prefixes) find(ctx context.Context, root string) ([]checkpointAt, error) {
	folders, err := p.store.Folders(ctx, root)
	if err != nil {
		return nil, err
	}
	var all []checkpointAt
	for _, name := range folders {
		if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			continue
		}
		below, err := p.look(ctx, root+"/"+name, true)
		if err != nil {
			return nil, err
		}
		if all = append(all, below...); len(all) >= maxCheckpoints {
			return all[:maxCheckpoints], nil
		}
	}
	return all, nil
}

// look says whether a folder is a checkpoint, or which of those in it are.
func (p *prefixes) look(ctx context.Context, uri string, deeper bool) ([]checkpointAt, error) {
	if id, ok := p.known[uri]; ok {
		return []checkpointAt{{uri, id}}, nil
	}
	folders, err := p.store.Folders(ctx, uri)
	if err != nil {
		return nil, err
	}
	var all []checkpointAt
	for _, name := range folders {
		if name == "offsets" {
			id, err := lakespark.Open(p.store, uri).QueryID(ctx)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil, nil // not yet, or something else
			case err != nil:
				return []checkpointAt{{uri: uri}}, nil // it is one; who reads it will say what is wrong
			}
			if len(p.known) < 2*maxCheckpoints {
				p.known[uri] = id
			}
			return []checkpointAt{{uri, id}}, nil
		}
	}
	for _, name := range folders {
		if !deeper || len(all) >= maxCheckpoints {
			break
		}
		below, err := p.look(ctx, uri+"/"+name, false)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	return all, nil
}
