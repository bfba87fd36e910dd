-- No two series share a number: it is a hash of their names.
-- grain: series_no
-- reads: int_stated_cell
-- range: all due cells
-- failure: stops
with
named as (
    select distinct
        series_no,
        partner,
        direction,
        kind,
        column_name,
        series_id
    from int_stated_cell
)

select
    series_no,
    count(*) as names
from named
group by series_no
having count(*) > 1
order by series_no
