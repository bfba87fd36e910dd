-- Columns that can be measured, with the outcome that each speaks of, in the order of the contract.
-- grain: kind, column_name
-- reads: nothing
-- range: what a kind's contract names as witness is measured when it stands here
with
named (kind, column_name, witness, position) as (
    values
    ('demand_forecast', 'quantity', 'order.quantity', 1),
    ('delivery_commitment', 'promised_date', 'delivery.arrived_on', 1),
    ('delivery_commitment', 'promised_quantity', 'delivery.quantity', 2),
    ('production_plan', 'planned_quantity', 'delivery.quantity', 1),
    ('production_plan', 'capacity_quantity', 'delivery.quantity', 2),
    ('inventory', 'quantity', 'delivery.quantity', 1),
    ('inventory', 'days_of_supply', 'delivery.quantity', 2)
)

select * from named
order by kind, column_name
