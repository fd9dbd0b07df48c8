#!/usr/bin/env bash
# Installs assay into a temporary folder, moves that, checks that nothing in it refers to the original tree, builds the
# project in tests/sdk_consumer against it, runs that project's tests and an experiment with all its plugins, and
# shadows one plugin by another of the same name.
#
# Usage: tests/sdk_consumer.sh SOURCE BUILD
set -euo pipefail
unset ASSAY_RESULTS ASSAY_PLUGIN_PATH ASSAY_DESCRIPTORS ASSAY_DATA
source_dir=$1 build=$2
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
fail() {
  echo "sdk_consumer: $*" >&2
  exit 1
}

cmake --install "$build" --prefix "$work/first" >"$work/install.log" || { cat "$work/install.log"; fail "install failed"; }
mv "$work/first" "$work/assay"
torch="$(sed -n 's/^ASSAY_TORCH_DIR:[A-Z]*=//p' "$build/CMakeCache.txt")"
# refers_elsewhere FOLDER: fails where a file in it names the tree, its build, LibTorch's folder or where it was installed.
refers_elsewhere() {
  local found
  found="$(grep -rlF -e "$source_dir/" -e "$build" -e "${torch%/torch}" -e "$work/first" "$1")" || return 0
  fail "these refer to the tree or to where they were installed: $found"
}
refers_elsewhere "$work/assay"
loaded="$(ldd "$work/assay/bin/assay-worker")" || fail "assay-worker cannot be loaded: $loaded"
# The links, and the libraries of assay and of LibTorch that are loaded.
inside="$(realpath "$work/assay")"
while read -r file; do
  [[ "$(realpath "$file")" == "$inside"/* ]] || fail "$file leads out of the installed tree"
done < <(find "$work/assay" -type l; awk '/libassay_run|libtorch_cpu|libc10|libcudart/ {print $3}' <<<"$loaded")
cp -r "$source_dir/tests/sdk_consumer" "$work/project"
cmake -S "$work/project" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/assay" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
cmake --build "$work/build" -j 2
ctest --test-dir "$work/build" --output-on-failure --no-tests=error
refers_elsewhere "$work/build/plugins"

mkdir -p "$work/lab/experiments"
cp "$work/project/consumer.toml" "$work/lab/experiments/"
for i in $(seq 200); do printf 'paragraph %d has words, too\n\n' "$i"; done >"$work/lab/corpus.txt"
sed -i 's|"corpus.txt"|"../corpus.txt"|' "$work/lab/experiments/consumer.toml"
cd "$work/lab"
assay="$work/assay/bin/assay"
export ASSAY_PLUGIN_PATH="$work/build/plugins"
"$assay" describe probe | grep -q 'scorer' || fail "describe does not know probe's child"
"$assay" run experiments/consumer.toml 2>run.log || { cat run.log; fail "the run failed"; }
record="$(echo results/consumer/runs/*/train.json)"
for component in objective/probe scorer/rare_bytes positional/tilted transform/shout; do
  grep -q "\"$component\"" "$record" || fail "$record does not name $component"
done
grep -q 'model.positional.log_slope' results/consumer/runs/*/weights.safetensors || fail "the scheme's parameters are not kept"
unset ASSAY_PLUGIN_PATH

# The same components once more, later on the path.
cp -r "$work/build/plugins" "$work/later"
"$assay" plan experiments/consumer.toml --plugin-path "$work/build/plugins:$work/later" 2>plan.log >/dev/null || {
  cat plan.log
  fail "the plan with shadowed plugins failed"
}
grep -q "warning: objective/probe is loaded from $work/build/plugins/probe.so; $work/later/probe.so also provides it" plan.log ||
  { cat plan.log; fail "no warning of a shadowed plugin"; }
echo "sdk_consumer: good"
