package loadgen

// newTopology builds the shop: who calls whom, how long it takes, what fails.
// Callees come before their callers, so the graph has no cycles. Times are
// medians of an operation's own work in microseconds.
func newTopology() *topology {
	b := &builder{clients: make(map[[2]int32]*operation)}
	b.services = append(b.services, serviceTable...)
	for i := range b.services {
		b.services[i].scopes = nil
		b.services[i].upstream = upstreamFault(&b.services[i])
	}
	user := special("user.id", userID)
	tier := mostly("app.customer.tier", "basic", "basic", "plus", "gold", "business")
	currency := mostly("app.currency", "EUR", "USD", "GBP", "PLN", "SEK", "JPY", "CHF", "NOK")
	variant := oneOf("app.experiment.variant", "control", "a", "b")
	region := mostly("cloud.region", "eu-west-1", "eu-central-1", "us-east-1", "ap-south-1")

	// Data that many ask for.
	flags := b.redis("storefront", "MGET", "MGET ff:{n:40} ff:{n:40}", 260)
	sessionGet := b.redis("identity", "GET", "GET session:{session}", 240)
	sessionSet := b.redis("identity", "SETEX", "SETEX session:{session} 3600 ?", 280)
	userByID := b.sql("identity", "SELECT", "users", "SELECT id, email, locale, created_at FROM users WHERE id = $1 /* {user} */", 1300)
	verify := b.internal("identity", "token.Verify", 350, []spec{user, str("app.token.issuer", "https://login.example.com"), intIn("app.token.age_s", 1, 3600), flag("app.token.refreshed", 1), mostly("app.token.scope", "shop", "shop:write", "shop:admin")})
	identityCheck := b.rpc("identity", "shop.v1.Identity", "CheckSession", 500, []spec{user, str("session.id", "{session}"), flag("app.session.anonymous", 2)},
		once(sessionGet), once(verify), maybe(0.15, userByID))
	identityLogin := b.rpc("identity", "shop.v1.Identity", "Login", 42000, []spec{user, mostly("app.login.method", "password", "passkey", "oidc"), flag("app.login.mfa", 3)},
		once(userByID), once(sessionSet))
	b.failing(identityLogin, 0.02, thrown(&b.services[15], "*identity.InvalidCredentials", "no match for login attempt {n:7}", 500, grpcInternal))

	productCache := b.redis("catalog", "GET", "GET product:{sku}", 230)
	productSQL := b.sql("catalog", "SELECT", "products", "SELECT p.*, b.name FROM products p JOIN brands b ON b.id = p.brand_id WHERE p.sku = '{sku}'", 1900)
	productsSQL := b.sql("catalog", "SELECT", "product_list", "SELECT sku, title, price_cents, rating FROM product_list WHERE category = {n:180} ORDER BY rank LIMIT 48 OFFSET {n:480}", 6200)
	getProduct := b.rpc("catalog", "shop.v1.Catalog", "GetProduct", 400, []spec{str("app.product.id", "{sku}"), flag("app.product.in_stock", 7), amountIn("app.product.price", 2, 900)},
		once(productCache), maybe(0.25, productSQL))
	listProducts := b.rpc("catalog", "shop.v1.Catalog", "ListProducts", 900, []spec{intIn("app.category.id", 1, 180), intIn("app.page", 1, 10), intIn("app.products.count", 8, 48)},
		once(productsSQL), times(1, 3, productCache))
	sectorSQL := b.sql("pricing", "SELECT", "price_rules", "SELECT rule, factor FROM price_rules WHERE segment = {n:24} AND valid_to > now()", 1500)
	quotePrice := b.rpc("pricing", "shop.v1.Pricing", "Quote", 650, []spec{str("app.product.id", "{sku}"), currency, tier, amountIn("app.price.discount", 0, 30)},
		maybe(0.4, sectorSQL), once(b.internal("pricing", "RuleEngine.evaluate", 420, []spec{intIn("app.rules.matched", 0, 9), amountIn("app.rules.score", 0, 1), oneOf("app.rules.set", "standard", "sale", "b2b"), flag("app.rules.cached", 6)})))
	stockSQL := b.sql("inventory", "SELECT", "stock", "SELECT warehouse, quantity FROM stock WHERE sku = '{sku}' AND quantity > 0", 1700)
	reserveSQL := b.sql("inventory", "UPDATE", "stock", "UPDATE stock SET reserved = reserved + $1 WHERE sku = '{sku}' AND warehouse = {n:14}", 3100)
	stockLevel := b.rpc("inventory", "shop.v1.Inventory", "StockLevel", 500, []spec{str("app.product.id", "{sku}"), intIn("app.stock.level", 0, 5000)}, once(stockSQL))
	reserve := b.rpc("inventory", "shop.v1.Inventory", "Reserve", 900, []spec{str("app.order.id", "{order}"), intIn("app.order.items", 1, 12)},
		once(stockSQL), once(reserveSQL))
	b.failing(reserve, 0.02, thrown(&b.services[8], "com.example.shop.inventory.OutOfStockException", "only {n:4} left in warehouse", 409, grpcExhausted))

	reviewsHTTP := b.http("reviews", "GET", "/reviews/{sku}", 2100, []spec{str("app.product.id", "{sku}"), intIn("app.reviews.count", 0, 400), amountIn("app.reviews.rating", 1, 5)},
		once(b.sql("reviews", "SELECT", "reviews", "SELECT author, stars, body FROM reviews WHERE sku = '{sku}' ORDER BY helpful DESC LIMIT 20", 2600)))
	features := b.redis("recommendation", "HGETALL", "HGETALL features:{user}", 410)
	rank := b.internal("recommendation", "model.rank", 5200, []spec{str("app.model.version", "2025-03-rank-{n:4}"), intIn("app.model.candidates", 40, 400), amountIn("app.model.score", 0, 1), flag("app.model.gpu", 2), variant})
	recommend := b.rpc("recommendation", "shop.v1.Recommendation", "List", 1500, []spec{user, variant, intIn("app.products_recommended.count", 3, 12), list("app.recommendation.sources", "history", "basket")},
		once(features), once(rank), times(0, 3, getProduct))
	indexCall := b.external("search", "POST", "search-index.internal.example.com", "/products/_search?preference={session}", 7800)
	searchHTTP := b.http("search", "GET", "/search", 1600, []spec{str("app.search.query", "q{log:2000}"), intIn("app.search.hits", 0, 9000), amountIn("app.search.max_score", 0, 40), variant},
		once(b.internal("search", "QueryParser.parse", 300, []spec{intIn("app.search.terms", 1, 7), mostly("app.search.language", "en", "de", "fr", "pl", "sv"), flag("app.search.corrected", 1), oneOf("app.search.mode", "lexical", "vector", "hybrid")})),
		once(indexCall), maybe(0.5, quotePrice))
	suggest := b.http("search", "GET", "/suggest", 700, []spec{str("app.search.query", "p{log:500}")}, once(b.redis("search", "ZRANGEBYLEX", "ZRANGEBYLEX suggest [p{n:500} + LIMIT 0 8", 380)))
	profileHTTP := b.http("profile", "GET", "/profile/{user}", 1700, []spec{user, tier, mostly("app.locale", "en-GB", "de-DE", "fr-FR", "pl-PL", "sv-SE")},
		once(b.sql("profile", "SELECT", "profiles", "SELECT name, address, prefs FROM profiles WHERE user_id = '{user}'", 1500)))
	profilePut := b.http("profile", "PUT", "/profile/{user}", 2100, []spec{user, intIn("app.profile.fields", 1, 9)},
		once(b.sql("profile", "UPDATE", "profiles", "UPDATE profiles SET prefs = $1, updated_at = now() WHERE user_id = '{user}'", 2800)))
	thumbnail := b.http("media", "GET", "/img/{hex:16}", 1900, []spec{mostly("app.image.format", "webp", "avif", "jpeg"), intIn("app.image.width", 120, 1600), flag("app.cdn.hit", 5)},
		maybe(0.4, b.external("media", "GET", "s3.eu-west-1.amazonaws.com", "/shop-media/{hex:16}", 14000)), maybe(0.3, b.internal("media", "resize.Encode", 9000, []spec{mostly("app.image.format", "webp", "avif", "jpeg"), intIn("app.image.width", 120, 1600), amountIn("app.image.quality", 60, 95), flag("app.image.animated", 1)})))

	// The cart and the order.
	cartGet := b.redis("cart", "HGETALL", "HGETALL cart:{user}", 300)
	cartSet := b.redis("cart", "HSET", "HSET cart:{user} {sku} {n:9}", 340)
	getCart := b.rpc("cart", "shop.v1.Cart", "GetCart", 450, []spec{user, intIn("app.cart.items.count", 0, 14)}, once(cartGet))
	addItem := b.rpc("cart", "shop.v1.Cart", "AddItem", 600, []spec{user, str("app.product.id", "{sku}"), intIn("app.cart.items.count", 1, 14)}, once(cartGet), once(stockLevel), once(cartSet))
	emptyCart := b.rpc("cart", "shop.v1.Cart", "EmptyCart", 350, []spec{user}, once(b.redis("cart", "DEL", "DEL cart:{user}", 260)))
	score := b.rpc("fraud", "shop.v1.Fraud", "Score", 1400, []spec{user, str("app.order.id", "{order}"), amountIn("app.fraud.score", 0, 1), flag("app.fraud.review", 1)},
		once(b.sql("fraud", "SELECT", "signals", "SELECT kind, weight FROM signals WHERE user_id = '{user}' AND seen_at > now() - interval '{n:90} days'", 3300)),
		times(1, 4, b.internal("fraud", "Rule.apply", 240, []spec{str("app.rule.id", "FR-{n:60}"), amountIn("app.rule.weight", 0, 3), flag("app.rule.hit", 2), oneOf("app.rule.family", "velocity", "geo", "device", "amount")})))
	cardAPI := b.external("payment", "POST", "api.cards.example.net", "/v2/charges", 68000)
	charge := b.rpc("payment", "shop.v1.Payment", "Charge", 1600, []spec{str("app.order.id", "{order}"), currency, amountIn("app.payment.amount", 4, 1800), mostly("app.payment.method", "card", "paypal", "klarna", "sepa"), str("app.payment.transaction", "{uuid}")},
		once(score), once(cardAPI), once(b.sql("payment", "INSERT", "charges", "INSERT INTO charges (id, order_id, cents, state) VALUES ($1, '{order}', {n:180000}, 'captured')", 2900)))
	b.failing(charge, 0.05, thrown(&b.services[9], "CardDeclinedError", "card declined: insufficient funds (code {n:60})", 402, grpcInternal))
	shipQuote := b.rpc("shipping", "shop.v1.Shipping", "Quote", 800, []spec{currency, amountIn("app.shipping.cost", 3, 40), mostly("app.shipping.zone", "domestic", "eu", "world"), sizeIn("app.shipping.weight_g", 80, 30000)},
		maybe(0.6, b.external("shipping", "POST", "rates.parcels.example.org", "/v1/rates", 36000)))
	shipOrder := b.rpc("shipping", "shop.v1.Shipping", "Ship", 1300, []spec{str("app.order.id", "{order}"), str("app.shipping.tracking", "TRK{n:90000000}")},
		once(b.sql("shipping", "INSERT", "shipments", "INSERT INTO shipments (order_id, carrier, tracking) VALUES ('{order}', $1, $2)", 2600)))
	insertOrder := b.sql("orders", "INSERT", "orders", "INSERT INTO orders (id, user_id, total_cents, state) VALUES ('{order}', '{user}', {n:180000}, 'new')", 3400)
	insertLine := b.sql("orders", "INSERT", "order_lines", "INSERT INTO order_lines (order_id, sku, quantity) VALUES ('{order}', '{sku}', {n:9})", 1200)
	selectOrder := b.sql("orders", "SELECT", "orders", "SELECT o.*, l.sku, l.quantity FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.id = '{order}'", 2500)
	mail := b.consume("mailer", "order-placed", 3900, []spec{str("app.mail.template", "order-confirmation"), str("app.order.id", "{order}")},
		once(b.external("mailer", "POST", "smtp.mail.example.com", "/v3/mail/send", 52000)))
	stockEvent := b.consume("inventory", "order-placed", 900, []spec{str("app.order.id", "{order}")}, times(1, 5, reserveSQL))
	ledger := b.consume("billing", "order-placed", 1500, []spec{str("app.order.id", "{order}"), currency, amountIn("app.ledger.amount", 4, 1800)},
		once(b.sql("billing", "INSERT", "ledger", "INSERT INTO ledger (order_id, account, cents) VALUES ('{order}', {n:400}, {n:180000})", 2700)))
	push := b.consume("notifier", "order-placed", 800, []spec{user, mostly("app.push.channel", "mobile", "web", "sms")},
		once(b.external("notifier", "POST", "fcm.googleapis.example.com", "/v1/projects/shop/messages:send", 31000)))
	placed := b.publish("orders", "order-placed", 450, mail, stockEvent, ledger, push)
	createOrder := b.rpc("orders", "shop.v1.Orders", "Create", 1200, []spec{user, str("app.order.id", "{order}"), intIn("app.order.items", 1, 12), amountIn("app.order.amount", 4, 1800), currency},
		once(insertOrder), times(1, 6, insertLine), once(placed))
	getOrder := b.rpc("orders", "shop.v1.Orders", "Get", 600, []spec{user, str("app.order.id", "{order}")}, once(selectOrder))
	prepare := b.internal("checkout", "order.Prepare", 700, []spec{user, intIn("app.order.items", 1, 12), currency, flag("app.order.gift", 1), amountIn("app.order.amount", 4, 1800)},
		once(getCart), fanOut(1, 6, getProduct), fanOut(1, 6, quotePrice), once(shipQuote))
	placeOrder := b.rpc("checkout", "shop.v1.Checkout", "PlaceOrder", 1500, []spec{user, str("app.order.id", "{order}"), tier, currency, region},
		once(prepare), times(1, 3, reserve), once(charge), once(createOrder), once(shipOrder), once(emptyCart))
	preview := b.rpc("checkout", "shop.v1.Checkout", "Preview", 800, []spec{user, tier, currency}, once(prepare))

	// Pages of the storefront, and the edge before them.
	front := []spec{user, str("session.id", "{session}"), variant, region}
	page := func(method, route string, work uint64, steps ...step) *operation {
		inner := b.http("storefront", method, route, work, front, append([]step{maybe(0.5, flags), once(identityCheck)}, steps...)...)
		outer := b.http("edge", method, route, 300, nil, once(inner))
		outer.okStatus = []uint16{200, 200, 200, 200, 200, 200, 200, 304, 404, 302}
		return outer
	}
	render := b.internal("storefront", "ssr.render", 6400, []spec{mostly("app.view", "home", "category", "product", "cart", "checkout"), intIn("app.view.components", 12, 90), flag("app.view.hydrated", 6), amountIn("app.view.weight_kb", 20, 400), variant, oneOf("app.view.theme", "light", "dark")})
	health := b.http("storefront", "GET", "/healthz", 150, nil, once(b.redis("storefront", "PING", "PING", 180)))
	home := page("GET", "/", 3000, once(recommend), once(listProducts), maybe(0.6, getCart), once(render))
	category := page("GET", "/c/{n:5000}", 2500, once(listProducts), fanOut(2, 9, quotePrice), once(render))
	product := page("GET", "/p/{sku}", 2800, once(getProduct), once(reviewsHTTP), once(stockLevel), maybe(0.7, recommend), once(quotePrice), once(render))
	searchPage := page("GET", "/search", 2200, once(searchHTTP), fanOut(0, 5, getProduct), once(render))
	suggestions := page("GET", "/suggest", 500, once(suggest))
	cartPage := page("GET", "/cart", 2000, once(getCart), fanOut(0, 4, quotePrice), once(render))
	cartAdd := page("POST", "/cart/items", 900, once(addItem))
	checkoutPage := page("POST", "/checkout", 1800, once(placeOrder), once(render))
	previewPage := page("GET", "/checkout", 1800, once(preview), once(profileHTTP), once(render))
	login := page("POST", "/login", 900, once(identityLogin))
	account := page("GET", "/account", 1500, once(profileHTTP), times(1, 4, getOrder), once(render))
	settings := page("PUT", "/account/settings", 1100, once(profilePut))
	images := b.http("edge", "GET", "/img/{hex:16}", 200, nil, once(thumbnail))

	// Work without a user: schedules, and queues read in batches.
	reconcile := b.internal("billing", "Reconcile.run", 4000, []spec{str("app.run.id", "{uuid}"), intIn("app.run.accounts", 50, 400), mostly("app.run.kind", "hourly", "daily"), flag("app.run.dry", 1)},
		times(30, 600, getOrder), times(0, 60, charge))
	reindex := b.internal("search", "Reindex.run", 3000, []spec{str("app.run.id", "{uuid}"), intIn("app.run.documents", 100, 4000), amountIn("app.run.progress", 0, 1), flag("app.run.full", 1)},
		times(8, 90, listProducts), times(4, 60, indexCall))
	reconcile.tolerant, reindex.tolerant = true, true
	digest := b.consume("notifier", "price-changed", 1200, []spec{intIn("app.digest.messages", 2, 20), mostly("app.digest.kind", "wishlist", "restock")},
		times(1, 8, b.external("notifier", "POST", "push.example.com", "/batch", 24000)))
	digest.links = true
	priceChange := b.publish("pricing", "price-changed", 400)
	repricing := b.internal("pricing", "Repricer.tick", 900, []spec{intIn("app.repricer.changed", 1, 60), oneOf("app.repricer.source", "feed", "rule", "manual"), amountIn("app.repricer.delta", 0, 20), flag("app.repricer.forced", 1)},
		once(sectorSQL), times(1, 4, priceChange))

	b.eventsAndFaults(map[string]*operation{
		"cart": addItem, "search": searchHTTP, "home": recommend, "pay": charge, "render": render, "thumb": thumbnail, "prepare": prepare, "profile": profileHTTP, "suggest": suggest,
	})
	const short, long, batch = 4e9, 8e9, 60e9
	b.roots = []root{
		{home, 11, short}, {category, 14, short}, {product, 18, short}, {searchPage, 9, short}, {suggestions, 8, short},
		{cartPage, 6, short}, {cartAdd, 6, short}, {checkoutPage, 3.2, long}, {previewPage, 2.4, short}, {login, 3, short},
		{account, 2, short}, {settings, 1, short}, {images, 9, short}, {health, 8, short},
		{reconcile, 0.20, batch}, {reindex, 0.15, batch}, {digest, 1.6, short}, {repricing, 2.5, short},
	}
	b.finish()
	return &b.topology
}
