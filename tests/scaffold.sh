#!/usr/bin/env bash
# Runs `assay new` outside of the repository, as a user does: its files build against the installed SDK without a
# warning, pass their test and `assay check`, and run. Two kinds; with ASSAY_SLOW_TESTS=1 all.
#
# Usage: tests/scaffold.sh BUILD
set -euo pipefail
unset ASSAY_RESULTS ASSAY_PLUGIN_PATH ASSAY_DESCRIPTORS ASSAY_DATA
build=$1
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
fail() {
  echo "scaffold: $*" >&2
  exit 1
}

cmake --install "$build" --prefix "$work/assay" >"$work/install.log" || { cat "$work/install.log"; fail "install failed"; }
assay="$work/assay/bin/assay"
kinds=(transform evaluator)
if [[ "${ASSAY_SLOW_TESTS:-}" == 1 ]]; then
  kinds=(callback dataset decoder evaluator model objective optimizer positional scheduler tokenizer tracker transform)
fi
cd "$work"
for kind in "${kinds[@]}"; do
  name="my_$kind"
  begin=$SECONDS
  "$assay" new "$kind" "$name" >new.log || { cat new.log; fail "assay new $kind failed"; }
  cd "$name"
  cmake -S . -B build -G Ninja -DCMAKE_PREFIX_PATH="$work/assay" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON >cmake.log
  cmake --build build -j 2 >build.log || { cat build.log; fail "$kind does not build"; }
  ctest --test-dir build --output-on-failure --no-tests=error >ctest.log || { cat ctest.log; fail "$kind: its test fails"; }
  export ASSAY_PLUGIN_PATH="$PWD/build/plugins"
  "$assay" check "build/plugins/$name.so" || fail "$kind: assay check found a fault"
  "$assay" run experiment.toml 2>run.log || { cat run.log; fail "$kind: the experiment failed"; }
  grep -q '1 done' run.log || { cat run.log; fail "$kind: the experiment did not run"; }
  echo "scaffold: $kind: from new to checked and run in $((SECONDS - begin)) s"
  cd ..
done
"$assay" new transform my_transform 2>again.log && fail "a folder that is there was written over"
grep -q 'exists and is not an empty folder' again.log || { cat again.log; fail "the existing folder is not reported"; }
echo "scaffold: good"
