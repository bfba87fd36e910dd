"""What Airflow needs to run a home's schedule; with dags/, the only importer of Airflow.

- `tillit.airflow.environment`: settings of a process that runs Airflow for a home.
- `tillit.airflow.schedule`: which agreements are ours to publish, and when. Pure but for reading.
- `tillit.airflow.tasks`: the use cases as tasks: what to retry, what to fail for good.
- `tillit.airflow.doorbell`: the trigger that rings when something waits in the mailbox.
- `tillit.airflow.standalone`: Airflow's four parts on one machine.
- `tillit.airflow.runner`: DAGs in one process, without a scheduler.
"""
