"""What an installation loses, and for how long it stands still, when the machine of a master goes.

python -m bench.failover --form sentinel --replicas 1
python -m bench.failover --form cluster --replicas 0
"""
