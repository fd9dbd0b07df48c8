"""The benchmark behind scripts/bench, which runs `python -m bench.main` with scripts/lib on Python's path.

main      what is measured in which order, the report
cases     sizes, position schemes, meshes, and the numbers that all systems share
assay     assay as a system; commands times assay's commands alone
peers     the peers as systems: pytorch, trainer, pytorch_decode and gemm run in their environment, on model and data
sweep     twelve short runs by one `assay run` and by shell loops
simctg, infill, cocolm      the parts of these studies
process, events, table      a process seen from outside; events of a run; measurements to tables
"""
