"""The benchmark behind scripts/bench, which runs `python -m bench.main` with scripts/lib on Python's path.

main                      the order of the measurements, and the report
cases                     sizes, position schemes, meshes, and the hyperparameters that all systems share
assay, commands           assay as a system; the times of assay's commands
peers                     the peers as systems. Their environment runs pytorch, trainer, pytorch_decode and gemm, which use
                          model and data
sweep                     twelve short runs with one `assay run` and with shell loops
simctg, infill, cocolm    the benchmarks of these plugins
process, events, table    measuring a process from outside, reading the events of a run, and making tables
"""
