-- The measure's constants, and the version of the definition that every result carries.
-- grain: version
-- reads: nothing
-- range: one row
select
    'tillit-trust/6' as version,
    52 as frame_cells,
    52 as window_weeks,
    13.0 as half_life_weeks,
    8.0 as degrees_of_freedom,
    26 as enough_cells
order by version
