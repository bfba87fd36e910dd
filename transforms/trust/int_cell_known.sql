-- Due cells, and how many cells back the newest outcome lies that was known at the cut-off.
-- grain: series_no, cell_no
-- reads: cell
-- range: as cell; an outcome can be used when all before it in its series are known
with
due as (
    select
        series_no,
        cell_no,
        column_no,
        cut_off_at,
        y_known_at,
        status,
        f,
        y,
        last_known,
        known_already,
        season
    from cell
),

known as (
    select
        series_no,
        cell_no as known_no,
        -- An outcome still open keeps all after it from being used, until it is closed.
        max(coalesce(y_known_at, 'infinity'::timestamptz)) over (
            partition by series_no order by cell_no
        ) as known_at
    from due
)

select
    due.* exclude (cut_off_at),
    due.cell_no - coalesce(known.known_no, 0) as known_lag
from due
asof left join known
    on
        due.series_no = known.series_no
        and due.cut_off_at >= known.known_at
