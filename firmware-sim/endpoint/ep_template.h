/* ep_template.h - config.yaml as init writes it: every key with its words. */
#ifndef EP_TEMPLATE_H
#define EP_TEMPLATE_H

struct ep_config;
struct hsa_buf;

/* ep_template(b, c) - the text; ep_config_parse of it gives c again. */
void ep_template(struct hsa_buf *b, const struct ep_config *c);

#endif
