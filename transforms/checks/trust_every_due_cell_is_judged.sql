-- Every due cell is in the result once: what is withheld cannot leave the denominator.
-- grain: series_no, cell_no
-- reads: cell, cell_gain
-- range: all due cells
-- failure: stops
with
due as (
    select
        series_no,
        cell_no
    from cell
),

judged as (
    select
        series_no,
        cell_no,
        count(*) as times
    from cell_gain
    group by series_no, cell_no
)

select
    due.series_no,
    due.cell_no,
    coalesce(judged.times, 0) as times
from due
left join judged using (series_no, cell_no)
where judged.times is distinct from 1
order by due.series_no, due.cell_no
