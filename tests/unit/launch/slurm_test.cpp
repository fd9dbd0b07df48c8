// The commands that are sent to a Slurm cluster and the handling of its responses, with programs that respond from
// files and record their calls. tests/slurm.sh uses a real cluster.
#include "launch/slurm.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/error.h"
#include "base/files.h"
#include "base/lock.h"
#include "launch/slurm_client.h"
#include "launch/slurm_jobs.h"
#include "launch/slurm_task.h"
#include "record/plan_line/plan_lines.h"
#include "record/state.h"
#include "unit/plan_line.h"
#include "unit/temporary_folder.h"

namespace assay::launch {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

record::PlanLine line_of(const std::string& id, const json& resources = json::object()) {
  json asked = {{"device", "auto"}};
  asked.update(resources);
  return testing::plan_line({{"train_id", id}, {"label", id}, {"resources", asked}});
}
json mesh(int tensor, int data, const std::string& backend) {
  return {{"threads", 2}, {"mesh", {{"tensor", tensor}, {"data", data}, {"backend", backend}}}};
}

class Slurm : public ::testing::Test {
 protected:
  Slurm() {
    // Each program records its arguments; squeue responds from a file, and so do the others.
    for (const char* name : {"sbatch", "squeue", "scancel", "scontrol", "srun"}) {
      const auto program =
          folder_.write(std::string("bin/") + name, std::string("#!/bin/sh\necho \"") + name + " $*\" >>'" +
                                                        (folder_ / "calls").string() + "'\ncat '" +
                                                        answer_file(name).string() + "'\n");
      fs::permissions(program, fs::perms::owner_all);
      answer(name, "");
    }
    answer("scontrol", "AccountingStorageHost   = localhost\nMaxArraySize            = 3\nMaxDBDMsgs = 20\n");
    answer("sbatch", "41\n");
    path_ = std::getenv("PATH");
    ::setenv("PATH", ((folder_ / "bin").string() + ":" + path_).c_str(), 1);
    options_.assay = "/opt/it's here/assay";
    options_.experiment = folder_ / "quick";
  }
  ~Slurm() override {
    ::setenv("PATH", path_.c_str(), 1);
    ::unsetenv("SLURM_ARRAY_TASK_ID");
    ::unsetenv("SLURM_ARRAY_JOB_ID");
  }
  fs::path answer_file(const std::string& program) const { return folder_ / ("answer." + program); }
  void answer(const std::string& program, const std::string& text) const { folder_.write("answer." + program, text); }
  std::vector<std::string> calls(const std::string& program) const {
    std::vector<std::string> lines;
    std::istringstream text(fs::exists(folder_ / "calls") ? base::read_file(folder_ / "calls") : "");
    for (std::string line; std::getline(text, line);)
      if (line.starts_with(program)) lines.push_back(line);
    return lines;
  }
  std::string submit(const std::vector<record::PlanLine>& plan) {
    std::ostringstream out;
    submit_to_slurm(plan, options_, out);
    return out.str();
  }
  record::ExperimentLayout experiment() const { return record::ExperimentLayout(options_.experiment); }

  // Runs a task of an array with one run, and a worker that runs the script.
  int task(const std::string& worker, const json& resources = json::object(),
           const std::vector<std::string>& wrap = {}) {
    auto job = new_slurm_job(experiment());
    job.runs = {"ab"};
    fs::create_directories(job.folder);
    base::write_atomically(job.plan(), line_of("ab", resources).text() + "\n");
    write_slurm_job(job);
    const auto program = folder_.write("bin/worker", "#!/bin/sh\nrun=$7/runs/$5\n" + worker);
    fs::permissions(program, fs::perms::owner_all);
    ::setenv("SLURM_ARRAY_JOB_ID", "41", 1);
    ::setenv("SLURM_ARRAY_TASK_ID", "0", 1);
    said_.str("");
    return slurm_task(program, job.folder, wrap, said_);
  }
  record::RunLayout run() const { return experiment().run("ab"); }

  testing::TemporaryFolder folder_;
  SlurmOptions options_;
  std::string path_;
  std::ostringstream said_;
};

TEST_F(Slurm, AShapeIsTheResourcesOfOneRun) {
  using Shape = SlurmShape;
  EXPECT_EQ(slurm_shape(line_of("a"), false), (Shape{1, 1, 0}));
  EXPECT_EQ(slurm_shape(line_of("a", mesh(2, 2, "threads")), false), (Shape{1, 8, 0}));
  EXPECT_EQ(slurm_shape(line_of("a", mesh(2, 2, "mpi")), false), (Shape{4, 2, 0}));
  auto gpu = json{{"device", "cuda"}};
  EXPECT_EQ(slurm_shape(line_of("a", gpu), false), (Shape{1, 1, 1}));
  gpu = {{"device", "auto"}};
  EXPECT_EQ(slurm_shape(line_of("a", gpu), false), (Shape{1, 1, 0}));
  EXPECT_EQ(slurm_shape(line_of("a", gpu), true), (Shape{1, 1, 1}));  // the settings request GPUs
  gpu = mesh(2, 2, "nccl");
  EXPECT_EQ(slurm_shape(line_of("a", gpu), false), (Shape{1, 8, 4}));
  gpu["mesh"]["mpirun"] = {"--hostfile", "hosts"};
  EXPECT_EQ(slurm_shape(line_of("a", gpu), false), (Shape{4, 2, 1}));
}

TEST_F(Slurm, OptionsOfSbatch) {
  options_.settings.partition = "main";
  options_.settings.account = "lab";
  options_.settings.time = "2:00:00";
  options_.settings.grace = 90;
  options_.settings.options = {"--mem=16G"};
  EXPECT_THAT(sbatch_options({1, 8, 4}, 3, options_),
              ElementsAre("--array=0-2", "--ntasks=1", "--cpus-per-task=8", "--signal=B:TERM@90", "--requeue",
                          "--open-mode=append", "--gres=gpu:4", "--partition=main", "--account=lab", "--time=2:00:00",
                          "--mem=16G"));
  options_.settings = {};
  options_.settings.gres = "gpu:a100";
  options_.jobs = 2;
  EXPECT_THAT(sbatch_options({4, 2, 1}, 1, options_),
              ElementsAre("--array=0-0%2", "--ntasks=4", "--cpus-per-task=2", "--signal=B:TERM@120", "--requeue",
                          "--open-mode=append", "--gpus-per-task=a100:1"));
}

TEST_F(Slurm, OneArrayPerShapeSplitByTheClustersLimit) {
  options_.settings.setup = {"module load a", "ulimit -n 64"};
  options_.settings.wrap = "nice \"$LEVEL\"";
  const auto out =
      submit({line_of("a1"), line_of("b1", mesh(2, 1, "threads")), line_of("a2"), line_of("a3"), line_of("a4")});
  EXPECT_THAT(out,
              AllOf(HasSubstr("submitted  3 runs of 1 core  job 41\n"), HasSubstr("submitted  1 run of 1 core  job"),
                    HasSubstr("submitted  1 run of 4 cores  job 41\n"),
                    HasSubstr("5 of 5 runs submitted to Slurm in 3 job arrays.\n")));
  std::vector<std::vector<std::string>> runs;
  for (const auto& job : slurm_jobs(experiment())) {
    runs.push_back(job.runs);
    EXPECT_EQ(job.id, "41");
    EXPECT_EQ(base::read_file(job.script()),
              "#!/bin/bash\n# One run per task; written by 'assay run --launcher slurm'.\nmodule load a\nulimit -n 64\n"
              "exec '/opt/it'\\''s here/assay' slurm-task '" +
                  job.folder.string() + "' nice \"$LEVEL\"\n");
    const auto lines = record::read_plan_lines(job.plan());
    ASSERT_EQ(lines.size(), job.runs.size());
    for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i].train_id, job.runs[i]);
    EXPECT_THAT(calls("sbatch"), ::testing::Contains(AllOf(HasSubstr("--job-name=" + job.name + " "),
                                                           HasSubstr("--output=" + job.folder.string() + "/%a.txt"),
                                                           HasSubstr(" " + job.script().string()))));
  }
  EXPECT_THAT(runs,
              ::testing::UnorderedElementsAre(ElementsAre("a1", "a2", "a3"), ElementsAre("a4"), ElementsAre("b1")));
  EXPECT_THAT(calls("squeue"), IsEmpty());  // there were no jobs to query
}

TEST_F(Slurm, NothingIsSubmittedTwice) {
  submit({line_of("a"), line_of("b")});
  const auto job = slurm_jobs(experiment()).at(0);
  answer("squeue", job.name + "|41|0|PENDING\n" + job.name + "|41|1|RUNNING\n");
  EXPECT_EQ(submit({line_of("a"), line_of("b")}),
            "0 of 2 runs submitted to Slurm in 0 job arrays, 2 already on Slurm.\n");
  EXPECT_THAT(calls("squeue"), ElementsAre("squeue --noheader --array --format=%j|%F|%K|%T --name=" + job.name));

  // A controller that was killed before sbatch responded left a job without an id.
  auto without_id = job;
  without_id.id = "";
  write_slurm_job(without_id);
  EXPECT_THAT(submit({line_of("a"), line_of("b")}), HasSubstr("2 already on Slurm"));
  answer("squeue", "");
  EXPECT_THAT(runs_on_slurm(experiment()), IsEmpty());  // or it was killed before it submitted the job
  write_slurm_job(job);
  EXPECT_EQ(runs_on_slurm(experiment()).at("b").state, SlurmTaskStatus::State::kGone);

  // One task has ended and the other one has left the queue: the array's folder is no longer needed.
  answer("squeue", "");
  const auto layout = experiment().run("a");
  fs::create_directories(layout.folder());
  base::write_atomically(layout.train_record(), "{}");
  EXPECT_THAT(submit({line_of("a"), line_of("b")}),
              HasSubstr("1 of 2 runs submitted to Slurm in 1 job array, 1 already complete"));
  EXPECT_FALSE(fs::exists(job.folder));
}

TEST_F(Slurm, LocalRunsAreNotSubmitted) {
  const auto layout = experiment().run("a");
  fs::create_directories(layout.folder());
  const auto lock = base::FileLock::lock(layout.lock());
  EXPECT_EQ(submit({line_of("a")}), "0 of 1 run submitted to Slurm in 0 job arrays, 1 already running.\n");
}

TEST_F(Slurm, ADryRunChangesNothing) {
  options_.dry_run = true;
  EXPECT_EQ(submit({line_of("a")}),
            "would submit  1 run of 1 core\n              a seed=1\n"
            "1 of 1 run would be submitted to Slurm in 1 job array.\n");
  EXPECT_FALSE(fs::exists(options_.experiment));
  EXPECT_THAT(calls("sbatch"), IsEmpty());
}

TEST_F(Slurm, ASubmissionErrorIsReportedAndLeavesNoJob) {
  folder_.write("bin/sbatch", "#!/bin/sh\necho 'sbatch: error: invalid partition specified: mian' >&2\nexit 1\n");
  try {
    submit({line_of("a")});
    FAIL() << "submitted";
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "sbatch failed: sbatch: error: invalid partition specified: mian");
  }
  EXPECT_THAT(slurm_jobs(experiment()), IsEmpty());
  answer("scontrol", "MaxArraySize            = 0\n");
  EXPECT_THROW(submit({line_of("a")}), UserError);
  ::setenv("PATH", "/nowhere", 1);
  EXPECT_THROW(submit({line_of("a")}), UserError);
}

TEST_F(Slurm, ParsesTheQueue) {
  const auto tasks =
      slurm::parse_queue("one|41|0|RUNNING\none|41|1|COMPLETING\none|41|12|PENDING\nbad\none|41|2|REQUEUED\n");
  ASSERT_EQ(tasks.size(), 4u);
  EXPECT_EQ(tasks[2].job_name + tasks[2].job, "one41");
  EXPECT_EQ(tasks[2].index, 12);
  EXPECT_THAT((std::vector<bool>{tasks[0].running, tasks[1].running, tasks[2].running, tasks[3].running}),
              ElementsAre(true, true, false, false));
}

TEST_F(Slurm, StatusComesFromItsFilesAndThenFromSlurm) {
  const record::RunStatusReport queued{record::RunStatus::kQueued, ""}, failed{record::RunStatus::kFailed, "it broke"};
  const auto output = folder_ / "0.txt";
  const auto status_of = [&](const record::RunStatusReport& now, SlurmTaskStatus::State state) {
    return with_slurm(now, run(), {state, "41_0", output});
  };
  EXPECT_EQ(status_of(queued, SlurmTaskStatus::State::kRuns).status, record::RunStatus::kRunning);
  EXPECT_EQ(status_of(failed, SlurmTaskStatus::State::kWaits).status,
            record::RunStatus::kQueued);  // submitted to Slurm again
  // The task wrote nothing, because it was removed from the queue: the reason names no missing file.
  const auto never_began = status_of(queued, SlurmTaskStatus::State::kGone);
  EXPECT_EQ(never_began.status, record::RunStatus::kCancelled);
  EXPECT_EQ(never_began.reason, "left Slurm's queue before it started (cancelled by scancel or by the cluster)");
  folder_.write("0.txt", "start  ab\n");
  const auto silent = status_of(queued, SlurmTaskStatus::State::kGone);
  EXPECT_EQ(silent.status, record::RunStatus::kFailed);
  EXPECT_THAT(silent.reason, HasSubstr("; its task's output: " + output.string()));
  fs::remove(output);
  EXPECT_EQ(status_of(failed, SlurmTaskStatus::State::kGone).reason, "it broke");
  fs::create_directories(run().folder());
  record::write_state(run().state(), {record::RunStatus::kRunning, 1, 7, "", {}, {}, "", ""});
  EXPECT_EQ(status_of(queued, SlurmTaskStatus::State::kGone).status, record::RunStatus::kFailed);
  EXPECT_THAT(status_of(queued, SlurmTaskStatus::State::kGone).reason, Not(HasSubstr("0.txt")));
  record::write_state(run().state(), {record::RunStatus::kCancelled, 1, 7, "", {}, {}, "stopped", ""});
  EXPECT_EQ(status_of(queued, SlurmTaskStatus::State::kGone).status, record::RunStatus::kQueued);
}

TEST_F(Slurm, CancelsWhatIsInTheQueue) {
  submit({line_of("a"), line_of("b"), line_of("c")});
  const auto job = slurm_jobs(experiment()).at(0);
  answer("squeue", job.name + "|41|0|PENDING\n" + job.name + "|41|1|RUNNING\n");
  EXPECT_EQ(cancel_on_slurm(experiment()), 2u);
  EXPECT_THAT(calls("scancel"), ElementsAre("scancel 41_0 41_1"));
  EXPECT_EQ(record::read_state(experiment().run("a").state())->status, record::RunStatus::kCancelled);
  EXPECT_FALSE(fs::exists(experiment().run("b").state()));
  for (const size_t place : {0u, 1u, 2u}) EXPECT_EQ(fs::exists(job.cancelled(place)), place < 2) << place;
}

TEST_F(Slurm, WhatCouldNotBeCancelledIsNotMarked) {
  submit({line_of("a")});
  const auto job = slurm_jobs(experiment()).at(0);
  answer("squeue", job.name + "|41|0|RUNNING\n");
  folder_.write("bin/scancel", "#!/bin/sh\necho 'scancel: error: no answer' >&2\nexit 1\n");
  EXPECT_THROW(cancel_on_slurm(experiment()), UserError);
  EXPECT_FALSE(fs::exists(job.cancelled(0)));
}

TEST_F(Slurm, ATaskRunsItsWorkerAndReportsItsEnd) {
  EXPECT_EQ(task("env >$run/environment.txt\necho {} >$run/train.json\n", mesh(2, 1, "threads"), {"env", "WRAPPED=1"}),
            0)
      << said_.str();
  EXPECT_EQ(said_.str(), "start  ab seed=1\ndone   ab seed=1\n");
  EXPECT_THAT(base::read_file(run().folder() / "environment.txt"),
              AllOf(HasSubstr("OMP_NUM_THREADS=2\n"), HasSubstr("ASSAY_JOBS=1\n"), HasSubstr("WRAPPED=1\n")));
  EXPECT_EQ(task("exit 1\n"), 0);  // the run has its records
  fs::remove(run().train_record());
  EXPECT_EQ(task("echo no luck\nkill -KILL $$\n"), 1);
  EXPECT_THAT(said_.str(), AllOf(HasSubstr("FAILED ab seed=1: killed by SIGKILL"), HasSubstr("| no luck\n")));
  EXPECT_EQ(record::read_state(run().state())->status, record::RunStatus::kFailed);
  EXPECT_THAT(calls("scontrol"), IsEmpty());
}

TEST_F(Slurm, AnInterruptedTaskIsRequeuedUnlessSlurmEndsIt) {
  // The worker makes its controller stop it, as a signal from Slurm would.
  const auto* until_told = "trap 'exit 143' TERM\nkill -TERM $PPID\nwhile :; do sleep 0.05; done\n";
  answer("squeue", "RUNNING\n");
  EXPECT_EQ(task(until_told), 75);
  EXPECT_THAT(said_.str(), HasSubstr("The task is requeued."));
  EXPECT_THAT(calls("scontrol requeue"), ElementsAre("scontrol requeue 41_0"));
  // The task was preempted, and Slurm itself requeues it.
  answer("squeue", "COMPLETING\n");
  answer("scontrol", "   JobState=COMPLETING Reason=None\n   Requeue=1 Restarts=1 BatchFlag=1\n");
  EXPECT_EQ(task(until_told), 75);
  EXPECT_THAT(said_.str(), Not(HasSubstr("The task is requeued.")));
  EXPECT_EQ(calls("scontrol requeue").size(), 1u);
  EXPECT_EQ(record::read_state(run().state())->status, record::RunStatus::kPreempted);
  // scancel cancelled the task, which Slurm's state shows.
  answer("scontrol", "   JobState=COMPLETING Reason=None\n   Requeue=1 Restarts=0 BatchFlag=1\n   PreemptTime=None\n");
  EXPECT_EQ(task("trap 'exit 143' USR2\n" + std::string(until_told)), 75);
  EXPECT_EQ(record::read_state(run().state())->status, record::RunStatus::kCancelled);
  EXPECT_THAT(record::read_state(run().state())->signal, ::testing::Optional(SIGUSR1));
  EXPECT_EQ(calls("scontrol requeue").size(), 1u);
  // assay stop cancelled the task, which leaves a marker: Slurm's state does not matter.
  answer("squeue", "RUNNING\n");
  EXPECT_EQ(
      task("for job in $7/slurm/*; do : >$job/0.cancelled; done\ntrap 'exit 143' USR2\n" + std::string(until_told)),
      75);
  EXPECT_EQ(record::read_state(run().state())->status, record::RunStatus::kCancelled);
  EXPECT_THAT(record::read_state(run().state())->signal, ::testing::Optional(SIGUSR1));
  EXPECT_EQ(calls("scontrol requeue").size(), 1u);
}

// The format of Slurm 22.05 for a task that is ending.
TEST_F(Slurm, ACancelledTaskDiffersFromAPreemptedOne) {
  const auto job = [](const std::string& state, int restarts, const std::string& preempted) {
    return "JobId=12 ArrayJobId=12 ArrayTaskId=0\n   JobState=" + state +
           " Reason=None Dependency=(null)\n   Requeue=1 " + "Restarts=" + std::to_string(restarts) +
           " BatchFlag=1 Reboot=0 ExitCode=0:0\n   PreemptTime=" + preempted + "\n";
  };
  EXPECT_TRUE(slurm::was_cancelled(job("COMPLETING", 0, "None"), 0));
  EXPECT_TRUE(slurm::was_cancelled(job("CANCELLED", 2, "None"), 2));
  EXPECT_FALSE(slurm::was_cancelled(job("COMPLETING", 1, "None"), 0));  // queued again
  EXPECT_FALSE(slurm::was_cancelled(job("COMPLETING", 0, "2026-11-30T06:02:30"), 0));
  EXPECT_FALSE(slurm::was_cancelled(job("RUNNING", 0, "None"), 0));  // its time limit is near
  EXPECT_FALSE(slurm::was_cancelled("", 0));
}

TEST_F(Slurm, MpiRanksAreAStepOfTheJobWhereSrunSupportsPmix) {
  folder_.write("bin/srun", "#!/bin/sh\n[ \"$1\" != --mpi=list ] || { cat '" + answer_file("srun").string() +
                                "'; exit; }\necho \"srun $*\" >>'" + (folder_ / "calls").string() + "'\n");
  folder_.write("bin/mpirun", "#!/bin/sh\necho \"mpirun $*\" >>'" + (folder_ / "calls").string() + "'\n");
  fs::permissions(folder_ / "bin/mpirun", fs::perms::owner_all);
  answer("srun", "MPI plugin types are...\n\tnone\n\tpmix\n");
  EXPECT_EQ(task("", mesh(2, 2, "mpi"), {"nice"}), 1);
  answer("srun", "MPI plugin types are...\n\tnone\n\tpmi2\n");
  EXPECT_EQ(task("", mesh(2, 2, "mpi"), {"nice"}), 1);
  const auto worker = "nice " + (folder_ / "bin/worker").string() + " run --plan ";
  EXPECT_THAT(
      calls("srun"),
      ElementsAre(AllOf(HasSubstr("srun --mpi=pmix --kill-on-bad-exit=1 --ntasks=4 --cpus-per-task=2 " + worker),
                        ::testing::EndsWith(" --ranks processes"))));
  EXPECT_THAT(calls("mpirun"), ElementsAre(AllOf(HasSubstr("mpirun -n 4 -x"), HasSubstr(worker),
                                                 ::testing::EndsWith(" --ranks processes"))));
}

}  // namespace
}  // namespace assay::launch
