#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same sweep in one process, by shards, through a real local Slurm and through GNU parallel: is
# the table the same? The controller and a node are started here, on the loopback address, with
# files of their own. Exit code 77: skipped, with the reason.
#
#   slurm_sweep.sh LACUNA FOLDER
set -euo pipefail

lacuna=$1
folder=$2
for program in slurmctld slurmd sbatch squeue munged parallel; do
  PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || { echo "skipped: no $program (Debian: slurm-wlm, munge, parallel)"; exit 77; }
done
PATH=$PATH:/usr/sbin
[[ $(id -u) == 0 ]] || { echo "skipped: a Slurm node is started by root"; exit 77; }

rm -rf "$folder"
mkdir -p "$folder"/{state,spool,log}
cd "$folder"
# A socket's name has room for 107 characters, which a build folder may not leave.
short=$(mktemp -d)
stop() {
  for pid in slurmd slurmctld munged; do
    [[ -s $folder/$pid.pid ]] && kill "$(cat "$folder/$pid.pid")" 2>/dev/null || true
  done
  rm -rf "$short"
}
trap stop EXIT

chmod 700 "$short"
head -c 1024 /dev/urandom > "$short/key"
chmod 400 "$short/key"
munged --force --key-file="$short/key" --socket="$short/munge" --pid-file="$folder/munged.pid" \
  --log-file="$short/munged.log" --seed-file="$short/seed" > munged.txt 2>&1 ||
  { echo "skipped: munged does not start: $(tail -1 munged.txt)"; exit 77; }

port=$((20000 + RANDOM % 20000))
host=$(hostname -s)
cat > slurm.conf <<CONF
ClusterName=sweep
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$short/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
SlurmctldPort=$port
SlurmdPort=$((port + 1))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,batch_sched_delay=1
ReturnToService=2
MaxArraySize=101
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$folder/slurm.conf
slurmctld > slurmctld.txt 2>&1 || { echo "skipped: slurmctld does not start: $(tail -1 slurmctld.txt)"; exit 77; }
slurmd -N "$host" > slurmd.txt 2>&1 || { echo "skipped: slurmd does not start: $(tail -1 slurmd.txt)"; exit 77; }
for _ in $(seq 60); do
  sinfo -h -o %T 2>/dev/null | grep -q idle && break
  sleep 0.5
done
sinfo -h -o %T | grep -q idle || { echo "skipped: the node does not come up: $(tail -1 log/slurmd.log)"; exit 77; }

cat > sweep.yaml <<SWEEP
machines: [tc, highlight]
workloads:
  - {gemm: 96x96x256, b: "uniform:0.5"}
axes:
  - {key: workload.a, values: [dense, 2:4]}
  - {key: levels.glb.capacity, from: 64 KiB, to: 256 KiB, steps: 6}
objectives: [cycles, energy, area]
SWEEP
# What a table says of the host alone: the last column.
table() { sed 's/,[^,]*$//' "$1/points.csv"; }

"$lacuna" sweep sweep.yaml --out one --no-plots

"$lacuna" sweep sweep.yaml --slurm cluster --tasks 3 --max-array 100
./cluster/slurm/submit > submitted.txt
for _ in $(seq 240); do
  [[ -z $(squeue -h) ]] && break
  sleep 0.5
done
[[ -z $(squeue -h) ]] || { echo "the jobs do not end"; squeue; exit 1; }
diff <(table one) <(table cluster) || { echo "through Slurm the table is another"; cat cluster/slurm/log/*; exit 1; }
ls cluster/shards | grep -qx 3 || { echo "there are not three tasks"; exit 1; }

PATH=$(dirname "$lacuna"):$PATH
lacuna sweep sweep.yaml --out fed --list | parallel --joblog joblog --resume -j2 > /dev/null
[[ $(wc -l < joblog) == 25 ]] || { echo "GNU parallel ran $(wc -l < joblog) lines"; exit 1; }
lacuna sweep sweep.yaml --out fed --no-plots 2> known.txt > /dev/null
grep -q "24 known before" known.txt || { echo "what GNU parallel ran is not known"; cat known.txt; exit 1; }
diff <(table one) <(table fed)
lacuna sweep sweep.yaml --out fed --list | parallel --joblog joblog --resume -j2 > again.txt
[[ ! -s again.txt ]] || { echo "GNU parallel runs again what its log has"; exit 1; }

echo "the same table in one process, through Slurm and through GNU parallel"
