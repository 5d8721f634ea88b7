/* The body of a float gradient's way back through a limited range. */

void KERNEL(clamp, bwd_data_rvv)(const mg_size_params *p, const mg_clamp_f32 *q, const REAL *dy,
                                 const REAL *y, REAL *dx) {
    size_t n;
    for (int32_t left = p->size; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        mg_store(dx, mg_where_inside(*q, mg_load(y, n), mg_load(dy, n), n), n);
        dy += n;
        y += n;
        dx += n;
    }
}
