"""Shows agreements that cannot be read as an import error, on Airflow's first page.

It has no DAG. It is apart from dags/publish.py so that everything else is published all the same.
"""

from __future__ import annotations

from tillit.airflow.environment import home_folder
from tillit.airflow.schedule import require_readable

require_readable(home_folder())
