# node.sh - the npm packages of schema/package.json, beside the programs that
# use them: sourced, not run. Wants: build, here. Gives: node_packages, node_dir.
# shellcheck shell=sh disable=SC2154
node_dir=

# once per build folder and lock; what packages want to run while they are
# installed is not run
node_packages() {
	mkdir -p "$build/interop/schema"
	node_dir=$(cd "$build/interop/schema" && pwd)
	cp "$here"/schema/*.mjs "$node_dir"
	cmp -s "$here/schema/package-lock.json" "$node_dir/.done" || {
		cp "$here/schema/package.json" "$here/schema/package-lock.json" \
			"$node_dir"
		(cd "$node_dir" && npm ci --ignore-scripts --no-audit \
			--no-fund) >"$node_dir/npm.log" 2>&1 || {
			cat "$node_dir/npm.log" >&2
			echo "node.sh: npm could not fetch the packages" >&2
			exit 1
		}
		cp "$here/schema/package-lock.json" "$node_dir/.done"
	}
}
